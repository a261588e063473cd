// SPDX-License-Identifier: Apache-2.0
// Requests in SYN_RECV: SYN-ACKs sent again by reqsk_timer_handler() at 1, 3, 7 … s, and given up
// in the end.
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9107;

void await_expiry(TunPeers& tun, const Listener& listener) {
  wait_for("the requests to be given up", [&] {
    tun.drain();
    return listener.embryos() == 0;
  });
}

Expectation expired(Stage& stage, const std::string& reason, const std::vector<uint16_t>& ports,
                    int family = AF_INET) {
  return at_listener("handshake_expired", reason, stage.self(), server_port, ports, family);
}

void claim_resends(Stage& stage, const Peer& peer, size_t times) {
  stage.claim(peer.resends.size() == times, cat("port ", peer.port, " got ", times,
                                                " SYN-ACKs again, it got ", peer.resends.size()));
}

// Clients that vanish after their SYN.
void synack_no_ack(Stage& stage) {
  set_sysctl("net.ipv4.tcp_synack_retries", 2);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 100});
  for (const int family : {AF_INET, AF_INET6}) {
    const auto peers = tun.add_many(family == AF_INET ? 20001 : 21001, 3, server_port, family);
    for (Peer* peer : peers) {
      shake(tun, *peer);
    }
    stage.expect(expired(stage, "no_ack", ports_of(peers), family));
  }
  await_expiry(tun, listener);
  for (const auto& [port, peer] : tun.all()) {
    claim_resends(stage, peer, 2);
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// Clients that did answer, when the accept queue was full: the server sends its SYN-ACK again all
// the same.
void synack_ack_dropped(Stage& stage) {
  set_sysctl("net.ipv4.tcp_synack_retries", 2);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto late = tun.add_many(30001, 3, server_port);
  for (Peer* peer : late) {
    shake(tun, *peer);
  }
  Peer& in_time = tun.add(20001, server_port);
  enqueue(tun, depth_of(listener), in_time);
  listener.listen(0);
  for (Peer* peer : late) {
    tun.send_ack(*peer);
  }
  stage.await_moved("ListenOverflows", 3);
  stage.expect(accept_queue_full("ack", stage.self(), listener, ports_of(late)));
  await_expiry(tun, listener);
  for (const Peer* peer : late) {
    claim_resends(stage, *peer, 2);
  }
  stage.expect(expired(stage, "ack_dropped", ports_of(late)));
  close_listener(stage, listener, {in_time.port});
  expect_resends(stage, tun);
}

// TCP_DEFER_ACCEPT=1: the bare ACK is ignored, the SYN-ACK sent again after a second, and the next
// bare ACK is taken.
void synack_deferred(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10, .defer_accept = 1});
  const auto idle = tun.add_many(30001, 3, server_port);
  for (Peer* peer : idle) {
    shake(tun, *peer);
    tun.send_ack(*peer);
  }
  stage.await_moved("TCPDeferAcceptDrop", 3);
  stage.beside("TCPDeferAcceptDrop", 3);
  for (Peer* peer : idle) {
    wait_for("the SYN-ACK to be sent again", [&] {
      tun.drain();
      return peer->resends.size() == 1;
    });
    tun.send_ack(*peer);
  }
  wait_for("the idle clients to be queued", [&] { return listener.depth() == 3; });
  close_listener(stage, listener, ports_of(idle));
  expect_resends(stage, tun, stage.self(), "deferred");
}

// The same, and the client is gone by then.
void deferred_expired(Stage& stage) {
  set_sysctl("net.ipv4.tcp_synack_retries", 1);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10, .defer_accept = 1});
  const auto idle = tun.add_many(30001, 2, server_port);
  for (Peer* peer : idle) {
    shake(tun, *peer);
    tun.send_ack(*peer);
  }
  stage.await_moved("TCPDeferAcceptDrop", 2);
  stage.beside("TCPDeferAcceptDrop", 2);
  await_expiry(tun, listener);
  stage.expect(expired(stage, "deferred", ports_of(idle)));
  close_listener(stage, listener, {});
  expect_resends(stage, tun, stage.self(), "deferred");
}

// The client's SYN comes a second time: tcp_check_req() answers at once, without the timer.
void duplicate_syn(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 2, server_port);
  for (Peer* peer : peers) {
    shake(tun, *peer);
    tun.send_syn(*peer);
    wait_for("a second SYN-ACK", [&] {
      tun.drain();
      return peer->syn_acks == 2;
    });
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// Requests of a listener that is closed are not given up by the timer: they went with it, and its
// record counts them.
void embryos_of_closed_listener(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  for (Peer* peer : tun.add_many(30001, 3, server_port)) {
    shake(tun, *peer);
  }
  close_listener(stage, listener, {});
  // The timer runs a second after the SYN, finds no listener and says nothing.
  wait_for("the requests to be forgotten", [&] { return embryos_on(server_port) == 0; });
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> synack_scenarios() {
  return {
      {"synack_no_ack", "6 clients vanish after the SYN: sent again twice, given up",
       synack_no_ack},
      {"synack_ack_dropped", "3 clients answered when the queue was full: the same",
       synack_ack_dropped},
      {"synack_deferred", "TCP_DEFER_ACCEPT, idle clients: sent again once, then accepted",
       synack_deferred},
      {"deferred_expired", "TCP_DEFER_ACCEPT, clients gone: given up", deferred_expired},
      {"embryos_of_closed_listener", "3 requests outlive their listener by a second",
       embryos_of_closed_listener},
      {"duplicate_syn", "a repeated SYN is answered with a repeated SYN-ACK", duplicate_syn},
  };
}

} // namespace acceptwatch::scenarios
