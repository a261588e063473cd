// SPDX-License-Identifier: Apache-2.0
// Packets of a handshake that something filters: no queue is full, and no queue may be blamed.
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/nft.h"
#include "families/obstacles.h"
#include "families/security_module.h"
#include "families/signatures.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9117;
// Asked for by a peer after the filtered ones: when it is answered, they have been dealt with.
constexpr uint16_t probe_port = 9118;

// Packets through one TUN device are taken in turn.
void await_turn(Stage& stage, TunPeers& tun) {
  Peer& probe = tun.add(39999, probe_port);
  tun.send_syn(probe);
  tun.await_reset(probe);
  Expectation refused = at_listener("reset_sent", "no_listener", {}, probe_port, {probe.port});
  refused.owner.reset();
  refused.no_owner = true;
  stage.expect(refused);
}

Expectation filtered(Stage& stage, const std::string& reason, const std::vector<uint16_t>& ports) {
  Expectation expected = at_listener("listen_drop", reason, stage.self(), server_port, ports);
  expected.stage = "syn";
  return expected;
}

// The listener's own filter, in tcp_filter(): no counter of the kernel's moves.
void socket_filter(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  attach_filter(listener, false);
  for (Peer* peer : tun.add_many(30001, 4, server_port)) {
    tun.send_syn(*peer);
  }
  await_turn(stage, tun);
  stage.expect(filtered(stage, "socket_filter", {30001, 30002, 30003, 30004}));
  close_listener(stage, listener, {});
}

// The queue is full as well, and never asked.
void socket_filter_full_queue(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 1});
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  attach_filter(listener, false);
  for (Peer* peer : tun.add_many(30001, 4, server_port)) {
    tun.send_syn(*peer);
  }
  await_turn(stage, tun);
  stage.expect(filtered(stage, "socket_filter", {30001, 30002, 30003, 30004}));
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// A listener that wants RFC 2385 signatures of this client, which signs nothing.
void authentication(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  want_signatures(listener, TunPeers::client_address(AF_INET));
  for (Peer* peer : tun.add_many(30001, 4, server_port)) {
    tun.send_syn(*peer);
  }
  stage.await_moved("TCPMD5NotFound", 4);
  stage.beside("TCPMD5NotFound", 4);
  stage.expect(filtered(stage, "authentication", {30001, 30002, 30003, 30004}));
  close_listener(stage, listener, {});
}

// A listener that wants RFC 5925 signatures of this client, of whose SYNs two have none, one is
// signed with another key, and one wrongly.
void authentication_option(Stage& stage) {
  constexpr uint8_t key = 100;
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  want_authentication(listener, TunPeers::client_address(AF_INET), key);
  const auto peers = tun.add_many(30001, 4, server_port);
  tun.send_syn(*peers[0]);
  tun.send_syn(*peers[1]);
  tun.send_syn(*peers[2], wrong_authentication(key + 1));
  tun.send_syn(*peers[3], wrong_authentication(key));
  for (const auto& [counter, times] :
       {std::pair{"TCPAORequired", 2}, {"TCPAOKeyNotFound", 1}, {"TCPAOBad", 1}}) {
    stage.await_moved(counter, times);
    stage.beside(counter, times);
  }
  stage.expect(filtered(stage, "authentication", {30001, 30002, 30003, 30004}));
  close_listener(stage, listener, {});
}

// The SYN comes in, and there is no way back to where it came from.
void no_route(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  add_unreachable(TunPeers::client_address(AF_INET));
  for (Peer* peer : tun.add_many(30001, 4, server_port)) {
    tun.send_syn(*peer);
  }
  stage.await_moved("ListenDrops", 4);
  stage.expect(filtered(stage, "no_route", {30001, 30002, 30003, 30004}));
  close_listener(stage, listener, {});
}

// The way back is lost during the handshake: tcp_v4_syn_recv_sock() makes no child of its last
// packet, and the queue is not the cause.
void no_route_at_last(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 4, server_port);
  for (Peer* peer : peers) {
    shake(tun, *peer);
  }
  add_unreachable(TunPeers::client_address(AF_INET));
  for (Peer* peer : peers) {
    tun.send_ack(*peer);
  }
  stage.await_moved("ListenDrops", 4);
  Expectation failed =
      at_listener("listen_drop", "request_failed", stage.self(), server_port, ports_of(peers));
  failed.stage = "ack";
  failed.accept_depth = Range::exactly(0);
  failed.syn_depth = Range::exactly(4);
  stage.expect(failed);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// A router on the way back says that the client cannot be reached: tcp_req_err() ends the request.
void icmp_error(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  for (Peer* peer : tun.add_many(30001, 3, server_port)) {
    shake(tun, *peer);
    tun.send_host_unreachable(*peer);
  }
  stage.await_moved("ListenDrops", 3);
  stage.claim(listener.embryos() == 0, "no request is left");
  Expectation failed = at_listener("listen_drop", "request_failed", stage.self(), server_port,
                                   {30001, 30002, 30003});
  failed.stage = "ack";
  stage.expect(failed);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// Four SYNs of each family to a [::] listener, which somebody drops.
void lose_eight(Stage& stage, TunPeers& tun, const char* reason, const char* hook) {
  for (const int family : {AF_INET, AF_INET6}) {
    const auto peers = tun.add_many(family == AF_INET ? 30001 : 31001, 4, server_port, family);
    for (Peer* peer : peers) {
      tun.send_syn(*peer);
    }
    Expectation dropped =
        at_listener("listen_drop", reason, stage.self(), server_port, ports_of(peers), family);
    dropped.stage = "syn";
    dropped.netfilter_hook = hook;
    stage.expect(dropped);
  }
}

// nf_tables drops SYNs before TCP sees them, at one of its hooks.
void firewall_at(Stage& stage, Hook hook, const char* name) {
  TunPeers tun;
  drop_by_firewall(hook, server_port);
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  lose_eight(stage, tun, "firewall", name);
  // Chains are watched from the first loss on.
  stage.await_records();
  const auto late = tun.add_many(32001, 3, server_port);
  for (Peer* peer : late) {
    tun.send_syn(*peer);
  }
  Expectation dropped =
      at_listener("listen_drop", "firewall", stage.self(), server_port, ports_of(late));
  dropped.netfilter_hook = name;
  dropped.netfilter_table = firewall_table;
  dropped.netfilter_chain = firewall_chain;
  stage.expect(dropped);
  await_turn(stage, tun);
  stage.claim(listener.embryos() == 0, "no SYN came through the firewall");
  close_listener(stage, listener, {});
}

void firewall_in(Stage& stage) { firewall_at(stage, Hook::input, "input"); }

void firewall_prerouting(Stage& stage) { firewall_at(stage, Hook::prerouting, "prerouting"); }

void firewall_ingress(Stage& stage) { firewall_at(stage, Hook::ingress, "ingress"); }

// It is asked when the request is made: no queue, route or signature is in the way.
void security_module(Stage& stage) {
  TunPeers tun;
  SecurityModule module;
  module.refuse(server_port);
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  lose_eight(stage, tun, "security_module", "");
  stage.await_moved("ListenDrops", 8);
  close_listener(stage, listener, {});
}

std::vector<Peer*> unanswered(TunPeers& tun, const std::vector<Peer*>& peers) {
  tun.drain();
  std::vector<Peer*> left;
  std::copy_if(peers.begin(), peers.end(), std::back_inserter(left),
               [](const Peer* peer) { return peer->syn_acks == 0; });
  return left;
}

// Without memory to be had for the answer, unlike what /proc says.
unsigned drops_of(const Listener& listener) {
  std::array<uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof(info);
  must(::getsockopt(listener.fd(), SOL_SOCKET, SO_MEMINFO, info.data(), &size), "SO_MEMINFO");
  return info[SK_MEMINFO_DROPS];
}

// A request is made of memory that is there, or not at all: inet_reqsk_alloc(). What the allocator
// has at hand is enough for dozens or hundreds, as the kernel is; some of those get their first
// SYN-ACK by the timer.
void memory(Stage& stage) {
  constexpr unsigned enough = 100;
  TunPeers tun;
  const SecurityModule tells_memory_apart;
  const MemoryShortage shortage;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 1000});
  const auto clients = tun.add_many(30001, 900, server_port);
  std::vector<Peer*> peers;
  peers.reserve(clients.size()); // no memory is to be had later
  shortage.begin();
  for (Peer* client : clients) {
    if (drops_of(listener) >= enough) {
      break;
    }
    tun.send_syn(*client);
    peers.push_back(client);
  }
  shortage.end();
  const auto waiting = unanswered(tun, peers);
  const int64_t dropped = stage.world().moved("ListenDrops");
  stage.claim(dropped == enough, cat(dropped, " of ", peers.size(), " SYNs were dropped"));
  wait_for("the other SYN-ACKs",
           [&] { return static_cast<int64_t>(unanswered(tun, peers).size()) <= dropped; });
  const auto refused = unanswered(tun, peers);
  for (Peer* peer : waiting) {
    if (peer->syn_acks)
      peer->resends.push_back({.after_ack = false});
  }
  Expectation lost =
      at_listener("listen_drop", "memory", stage.self(), server_port, ports_of(refused));
  lost.stage = "syn";
  stage.expect(lost);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// Who is refused like this is told so, by netfilter's own RST: it is in none of TCP's counters.
void firewall_reject(Stage& stage) {
  TunPeers tun;
  reject_by_firewall(Hook::input, server_port);
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  for (const int family : {AF_INET, AF_INET6}) {
    const bool watches_chains = family == AF_INET6; // from the first loss on
    if (watches_chains) {
      stage.await_records();
    }
    const auto peers = tun.add_many(family == AF_INET ? 30001 : 31001, 4, server_port, family);
    for (Peer* peer : peers) {
      tun.send_syn(*peer);
      tun.await_reset(*peer);
    }
    for (const auto& [action, reason] :
         {std::pair{"listen_drop", "firewall"}, std::pair{"reset_sent", "firewall"}}) {
      Expectation refused =
          at_listener(action, reason, stage.self(), server_port, ports_of(peers), family);
      refused.stage = "syn";
      refused.netfilter_hook = "input";
      if (watches_chains) {
        refused.netfilter_table = firewall_table;
        refused.netfilter_chain = firewall_chain;
      }
      stage.expect(refused);
    }
  }
  stage.claim(listener.embryos() == 0, "no SYN came through the firewall");
  close_listener(stage, listener, {});
}

} // namespace

std::vector<Scenario> filter_scenarios() {
  return {
      {"socket_filter", "SO_ATTACH_FILTER drops 4 SYNs", socket_filter},
      {"socket_filter_full_queue", "the same at a full listener", socket_filter_full_queue},
      {"authentication", "4 SYNs without the signature that TCP_MD5SIG demands", authentication},
      {"authentication_option", "4 SYNs without what TCP_AO_ADD_KEY demands, or with wrong ones",
       authentication_option},
      {"no_route", "4 SYNs of a client to which there is no route", no_route},
      {"no_route_at_last", "the route to 4 clients goes away before their last ACKs",
       no_route_at_last},
      {"icmp_error", "an ICMP error for the SYN-ACK of 3 requests", icmp_error},
      {"firewall_in", "nf_tables drops 8 SYNs to a listener, and 3 more", firewall_in},
      {"firewall_reject", "nf_tables answers 8 SYNs with a RST", firewall_reject},
      {"firewall_prerouting", "the same before routing", firewall_prerouting},
      {"firewall_ingress", "the same as they come from the device", firewall_ingress},
      {.name = "security_module",
       .about = "a program of the BPF LSM refuses 8 requests",
       .play = security_module,
       .alone = true,
       .on_request = true,
       .condition = "security_module"},
      {.name = "memory",
       .about = "SYNs come until 100 were dropped, for no memory is to be had at once",
       .play = memory,
       .alone = true,
       .on_request = true,
       .condition = "security_module"},
  };
}

} // namespace acceptwatch::scenarios
