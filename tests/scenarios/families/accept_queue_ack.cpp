// SPDX-License-Identifier: Apache-2.0
// The last packet of a handshake meets a full accept queue: tcp_v4_syn_recv_sock() refuses to make
// the connection, and the client believes that it is connected.
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9102;
constexpr size_t held = 3;

// Handshakes whose last packet is held back, then a full queue.
struct HeldBack {
  std::vector<Peer*> peers;
  std::vector<uint16_t> queued;
};

// While they are held back they are in the SYN queue, which has the same limit: the backlog must
// leave room for the ones that fill the accept queue.
HeldBack hold_back_and_fill(TunPeers& tun, const Listener& listener, int family = AF_INET) {
  HeldBack result;
  result.peers = tun.add_many(30001, held, server_port, family);
  for (Peer* peer : result.peers) {
    shake(tun, *peer);
  }
  result.queued = fill(tun, listener, 20001, family);
  return result;
}

Expectation ack_dropped(Stage& stage, const Listener& listener, const HeldBack& hands,
                        int family = AF_INET) {
  Expectation expected =
      accept_queue_full("ack", stage.self(), listener, ports_of(hands.peers), family);
  expected.server_address = TunPeers::server_address(family);
  expected.client_address = TunPeers::client_address(family);
  expected.syn_depth = Range::exactly(held);
  return expected;
}

void overflow_by_packets(Stage& stage, const std::string& bound_to, int family) {
  TunPeers tun;
  stage.go();
  Listener listener =
      open_listener(stage, {.address = bound_to, .port = server_port, .backlog = 6});
  const HeldBack hands = hold_back_and_fill(tun, listener, family);
  for (Peer* peer : hands.peers) {
    tun.send_ack(*peer);
  }
  stage.await_moved("ListenOverflows", held);
  stage.expect(ack_dropped(stage, listener, hands, family));
  close_listener(stage, listener, hands.queued, family);
  expect_resends(stage, tun);
}

void ack_stage_overflow(Stage& stage) { overflow_by_packets(stage, "0.0.0.0", AF_INET); }

void ack_stage_overflow_v6(Stage& stage) { overflow_by_packets(stage, "::", AF_INET6); }

// tcp_v6_syn_recv_sock() passes this one on to its IPv4 twin: both run, for one connection.
void ack_stage_overflow_mapped(Stage& stage) { overflow_by_packets(stage, "::", AF_INET); }

// The same with the kernel's own clients: TCP_DEFER_ACCEPT keeps them in the SYN queue until they
// send data.
void ack_stage_overflow_sockets(Stage& stage) {
  stage.go();
  Listener listener = open_listener(
      stage, {.address = "127.0.0.1", .port = server_port, .backlog = 10, .defer_accept = 30});
  Client first("127.0.0.1", server_port, 40001);
  Client second("127.0.0.1", server_port, 40002);
  first.await_connected();
  second.await_connected();
  // The bare ACKs are ignored on purpose, which is no loss.
  stage.await_moved("TCPDeferAcceptDrop", 2);
  stage.beside("TCPDeferAcceptDrop", 2);
  listener.listen(0);
  first.send_byte();
  wait_for("the first to be queued", [&] { return listener.depth() == 1; });
  second.send_byte();
  wait_for("the second to be dropped", [&] { return stage.world().moved("ListenOverflows") > 0; });
  // Its byte is sent again after 200 ms, and each copy overflows again.
  const unsigned copies = 1 + second.retransmits();
  second.vanish();

  Expectation expected = accept_queue_full("ack", stage.self(), listener, {});
  expected.clients = {{40002, copies}};
  expected.accept_depth = Range::exactly(1);
  expected.accept_limit = Range::exactly(0);
  expected.syn_depth = Range::exactly(1);
  stage.expect(expected);
  close_listener(stage, listener, {40001});
}

// A client that believes it is connected sends: every packet of it is one more overflow.
void ack_stage_repeats(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 6});
  const HeldBack hands = hold_back_and_fill(tun, listener);
  Peer& talker = *hands.peers.front();
  tun.send_ack(talker);
  for (int copy = 0; copy < 4; ++copy) {
    tun.send_data(talker);
  }
  stage.await_moved("ListenOverflows", 5);
  Expectation expected = ack_dropped(stage, listener, hands);
  expected.clients = {{talker.port, 5}};
  stage.expect(expected);
  close_listener(stage, listener, hands.queued);
  expect_resends(stage, tun);
}

// tcp_check_req() goes on to embryonic_reset: dropped, and reset.
void abort_on_overflow(Stage& stage) {
  set_sysctl("net.ipv4.tcp_abort_on_overflow", 1);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 6});
  const HeldBack hands = hold_back_and_fill(tun, listener);
  for (Peer* peer : hands.peers) {
    tun.send_ack(*peer);
    tun.await_reset(*peer);
  }
  Expectation dropped = ack_dropped(stage, listener, hands);
  dropped.syn_depth =
      Range{0, held}; // each abort takes one request away, before the packet is freed
  stage.expect(dropped);
  Expectation reset = at_listener("reset_sent", "abort_on_overflow", stage.self(), server_port,
                                  ports_of(hands.peers));
  stage.expect(reset);
  close_listener(stage, listener, hands.queued);
  expect_resends(stage, tun);
}

// Room again in time: the server's second SYN-ACK is answered, and nothing more is lost.
void ack_stage_recovers(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 6});
  const HeldBack hands = hold_back_and_fill(tun, listener);
  for (Peer* peer : hands.peers) {
    tun.send_ack(*peer);
  }
  stage.await_moved("ListenOverflows", held);
  stage.expect(ack_dropped(stage, listener, hands));
  std::vector<UniqueFd> accepted;
  for (size_t number = 0; number < hands.queued.size(); ++number) {
    accepted.push_back(listener.accept());
  }
  for (Peer* peer : hands.peers) {
    tun.send_ack(*peer);
  }
  wait_for("the late ones to be queued", [&] { return listener.depth() == held; });
  close_listener(stage, listener, ports_of(hands.peers));
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> accept_queue_ack_scenarios() {
  return {
      {"ack_stage_overflow", "3 last ACKs held back until the accept queue is full",
       ack_stage_overflow, false, true},
      {"ack_stage_overflow_v6", "the same over IPv6", ack_stage_overflow_v6},
      {"ack_stage_overflow_mapped", "the same, IPv4 peers of a [::] listener",
       ack_stage_overflow_mapped},
      {"ack_stage_overflow_sockets",
       "the same with sockets, by TCP_DEFER_ACCEPT and a smaller listen()",
       ack_stage_overflow_sockets},
      {"ack_stage_repeats", "one client's data overflows the queue again and again",
       ack_stage_repeats},
      {"ack_stage_recovers", "the queue is drained, the dropped clients get in",
       ack_stage_recovers},
      {"abort_on_overflow", "tcp_abort_on_overflow=1: dropped and reset", abort_on_overflow, false,
       true},
  };
}

} // namespace acceptwatch::scenarios
