// SPDX-License-Identifier: Apache-2.0
// This host itself refuses a packet of a handshake, on its way in or the answer on its way out, and
// each time with a knob turned so that it does not.
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/nft.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9118;
constexpr uint16_t nobodys_ports = 50000;

Expectation refused(Stage& stage, const std::string& reason, const std::string& at,
                    const std::vector<uint16_t>& ports) {
  Expectation dropped = at_listener("listen_drop", reason, stage.self(), server_port, ports);
  dropped.stage = at;
  return dropped;
}

// The last packet is dropped after tcp_v4_early_demux() has found its request.
void firewall_ack_from(Stage& stage, uint16_t others_from) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 3, server_port);
  for (Peer* peer : peers) {
    shake(tun, *peer);
  }
  drop_by_firewall(Hook::input, server_port, others_from);
  for (Peer* peer : peers) {
    tun.send_ack(*peer);
  }
  if (others_from == nobodys_ports) {
    wait_for("the handshakes to be complete", [&] { return listener.depth() == 3; });
    return close_listener(stage, listener, ports_of(peers));
  }
  Expectation dropped = refused(stage, "firewall", "ack", ports_of(peers));
  dropped.netfilter_hook = "input";
  stage.expect(dropped);
  stage.claim(listener.depth() == 0, "no ACK came through the firewall");
  stage.await_records();
  close_listener(stage, listener, {});
  expect_resends(stage, tun, stage.self(), "no_ack");
}

void firewall_ack(Stage& stage) { firewall_ack_from(stage, 0); }

void firewall_ack_of_others(Stage& stage) { firewall_ack_from(stage, nobodys_ports); }

// All come through, and nothing is told of them.
void serve_and_close(Stage& stage, TunPeers& tun, const std::vector<Peer*>& peers,
                     Listener& listener) {
  for (Peer* peer : peers) {
    shake(tun, *peer);
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// The kernel counts the answers that it meant to send (OutSegs), and those that its timer makes.
void firewall_synack_to(Stage& stage, uint16_t others_from) {
  TunPeers tun;
  drop_by_firewall(Hook::output, server_port, others_from);
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 3, server_port);
  if (others_from == nobodys_ports) {
    return serve_and_close(stage, tun, peers, listener);
  }
  for (Peer* peer : peers) {
    tun.send_syn(*peer);
  }
  wait_for("the answers to be made", [&] { return stage.world().moved("OutSegs") >= 3; });
  stage.await_records();
  close_listener(stage, listener, {});
  Expectation lost = at_listener("listen_drop", "firewall", stage.self(), server_port, {});
  lost.stage = "synack";
  lost.netfilter_hook = "output";
  lost.client_address = TunPeers::client_address(AF_INET);
  lost.count = static_cast<uint64_t>(stage.world().moved("OutSegs"));
  stage.expect(lost);
  tun.drain();
  for (const Peer* peer : peers) {
    stage.claim(peer->syn_acks == 0, "no answer left this host");
  }
}

void firewall_synack(Stage& stage) { firewall_synack_to(stage, 0); }

void firewall_synack_to_others(Stage& stage) { firewall_synack_to(stage, nobodys_ports); }

// The way back to a client does not lead through the device that it came by: there is none.
void reverse_path_of(Stage& stage, const char* client, bool passes) {
  TunPeers tun;
  set_sysctl("net.ipv4.conf.all.rp_filter", 1);
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 3, server_port);
  for (Peer* peer : peers) {
    peer->address = client;
    tun.send_syn(*peer);
  }
  if (passes) {
    for (Peer* peer : peers) {
      tun.await_syn_ack(*peer);
    }
  } else {
    stage.await_moved("IPReversePathFilter", 3);
    Expectation dropped = refused(stage, "reverse_path", "syn", ports_of(peers));
    dropped.client_address = client;
    stage.expect(dropped);
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

void reverse_path(Stage& stage) { reverse_path_of(stage, "192.0.2.7", false); }

void reverse_path_right(Stage& stage) {
  reverse_path_of(stage, TunPeers::client_address(AF_INET).c_str(), true);
}

// A client that was rebooted comes again from the port of a connection that it has forgotten. The
// kernel answers with what that connection expects (tcp_send_challenge_ack()).
void old_connection_at(Stage& stage, uint16_t again) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  Peer& peer = tun.add(30001, server_port);
  enqueue(tun, depth_of(listener), peer);
  const UniqueFd old = listener.accept();
  if (again == peer.port) {
    peer.isn += 100000;
    tun.send_syn(peer);
    stage.await_moved("TCPSYNChallenge", 1);
    stage.expect(refused(stage, "old_connection", "syn", {peer.port}));
  } else {
    shake(tun, tun.add(again, server_port));
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

void old_connection(Stage& stage) { old_connection_at(stage, 30001); }

void old_connection_of_others(Stage& stage) { old_connection_at(stage, 30002); }

// A published port: what comes to it is sent on to a container, whose network is behind the same
// device here. It is none of this host's listeners, though one has that port.
constexpr uint16_t container_port = 9128;

void forwarded_to_container(Stage& stage, uint16_t dropped_port) {
  TunPeers tun;
  set_sysctl("net.ipv4.ip_forward", 1);
  translate(server_port, TunPeers::roaming_address(), container_port);
  drop_by_firewall(Hook::forward, dropped_port);
  stage.go();
  Listener proxy = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 3, server_port);
  for (Peer* peer : peers) {
    tun.send_syn(*peer);
  }
  if (dropped_port == container_port) {
    Expectation dropped = refused(stage, "firewall", "syn", ports_of(peers));
    dropped.owner.reset();
    dropped.no_owner = true;
    dropped.server_address = TunPeers::server_address(AF_INET);
    dropped.nat_port = Range::exactly(container_port);
    dropped.netfilter_hook = "forward";
    stage.expect(dropped);
    stage.await_records();
    stage.claim(stage.world().moved("InDelivers") == 0, "no SYN was for this host");
  } else {
    stage.await_moved("ForwDatagrams", 3);
  }
  close_listener(stage, proxy, {});
}

void published_dropped(Stage& stage) { forwarded_to_container(stage, container_port); }

void published_passes(Stage& stage) { forwarded_to_container(stage, container_port + 1); }

// REDIRECT to a port of this host.
void redirect_to(Stage& stage, bool listens) {
  TunPeers tun;
  translate(server_port, TunPeers::server_address(AF_INET), container_port);
  stage.go();
  const auto peers = tun.add_many(30001, 3, server_port);
  if (listens) {
    Listener listener = open_listener(stage, {.port = container_port, .backlog = 10});
    return serve_and_close(stage, tun, peers, listener);
  }
  for (Peer* peer : peers) {
    tun.send_syn(*peer);
    tun.await_reset(*peer);
  }
  Expectation reset = refused(stage, "no_listener", "syn", ports_of(peers));
  reset.action = "reset_sent";
  reset.owner.reset();
  reset.no_owner = true;
  reset.nat_port = Range::exactly(container_port);
  stage.expect(reset);
}

void redirect_refused(Stage& stage) { redirect_to(stage, false); }

void redirect_taken(Stage& stage) { redirect_to(stage, true); }

} // namespace

std::vector<Scenario> way_scenarios() {
  return {
      {"firewall_ack", "nf_tables drops the last ACKs of 3 handshakes", firewall_ack},
      {"firewall_ack_of_others", "the same rule, for other clients", firewall_ack_of_others},
      {"firewall_synack", "nf_tables drops the SYN-ACKs to 3 clients", firewall_synack},
      {"firewall_synack_to_others", "the same rule, for other clients", firewall_synack_to_others},
      {"reverse_path", "the reverse path filter drops 3 SYNs", reverse_path},
      {"reverse_path_right", "the same filter, and the way back is that of the SYNs",
       reverse_path_right},
      {"old_connection", "a SYN from the port of an established connection", old_connection},
      {"old_connection_of_others", "the same from the port beside it", old_connection_of_others},
      {"published_dropped", "3 SYNs are translated to a container, and dropped at forward",
       published_dropped},
      {"published_passes", "the same, and the rule is for another port", published_passes},
      {"redirect_refused", "3 SYNs are sent on to a port where nobody listens", redirect_refused},
      {"redirect_taken", "the same, and somebody does", redirect_taken},
  };
}

} // namespace acceptwatch::scenarios
