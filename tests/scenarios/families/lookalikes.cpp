// SPDX-License-Identifier: Apache-2.0
// Packets that look like a loss and are none, or are another one: what a tracer that only looks at
// packets and queues, and not at what the kernel decides, would get wrong.
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9116;

// A queue is full, and a request older than that repeats its SYN: it belongs to the request, which
// answers it.
void duplicate_syn_full_queue(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 4});
  const auto peers = tun.add_many(30001, 2, server_port);
  for (Peer* peer : peers) {
    shake(tun, *peer);
  }
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  for (Peer* peer : peers) {
    tun.send_syn(*peer);
    wait_for("a second SYN-ACK", [&] {
      tun.drain();
      return peer->syn_acks == 2;
    });
  }
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// tcp_rcv_state_process() of a listener takes a SYN only if it is nothing but a SYN; a packet with
// a wrong checksum is dropped by tcp_v4_do_rcv(), after the socket's filters have seen it.
void odd_syns(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 1});
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  tun.send_odd_syn(tun.add(30001, server_port), tcp_flag::fin);
  tun.send_odd_syn(tun.add(30002, server_port), tcp_flag::rst);
  Peer& answered = tun.add(30003, server_port);
  tun.send_odd_syn(answered, tcp_flag::ack);
  tun.await_reset(answered);
  stage.expect(
      at_listener("reset_sent", "handshake_invalid", stage.self(), server_port, {answered.port}));
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

void corrupt_syns(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 1});
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  const int64_t before = counter("InCsumErrors");
  for (Peer* peer : tun.add_many(30001, 3, server_port)) {
    tun.send_corrupt_syn(*peer);
  }
  wait_for("the checksums to be found wrong",
           [&] { return counter("InCsumErrors") == before + 3; });
  Expectation dropped =
      at_listener("listen_drop", "checksum", stage.self(), server_port, {30001, 30002, 30003});
  dropped.stage = "syn";
  stage.expect(dropped);
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// A connection that this end has closed first, and that is over.
void leave_in_time_wait(TunPeers& tun, Listener& listener, Peer& peer) {
  enqueue(tun, depth_of(listener), peer);
  listener.accept().reset();
  tun.answer_fin(peer);
  wait_for("TIME_WAIT", [&] { return time_waits_on(listener.port()) > 0; });
}

// A new connection on the old port: its first SYN-ACK is none that is sent again.
void come_back(TunPeers& tun, Peer& peer) {
  peer.isn += 100000;
  peer.syn_acks = 0;
  tun.send_syn(peer);
}

// tcp_conn_request() means to ask a client that comes back from TIME_WAIT neither about the SYN
// queue nor about cookies. Before 6.10 it asks all the same, since tcp_v4_fill_cb() clears the mark
// (tcp_tw_isn) that tells it: 41eecbd712b7 "tcp: replace TCP_SKB_CB(skb)->tcp_tw_isn with a per-cpu
// field". So the counter says what this kernel did.
void time_wait_returns(Stage& stage) {
  set_sysctl("net.ipv4.tcp_syncookies", 0);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 4});
  Peer& old_friend = tun.add(30001, server_port);
  leave_in_time_wait(tun, listener, old_friend);
  std::vector<uint16_t> refused;
  const auto try_one = [&](Peer& peer) {
    const auto so_far = static_cast<int64_t>(refused.size());
    wait_for("a SYN-ACK or a drop", [&] {
      tun.drain();
      return peer.syn_acks > 0 || stage.world().moved("TCPReqQFullDrop") > so_far;
    });
    if (peer.syn_acks == 0)
      refused.push_back(peer.port);
  };
  for (uint16_t port = 20001; refused.empty(); ++port) {
    Peer& peer = tun.add(port, server_port);
    tun.send_syn(peer);
    try_one(peer);
  }
  come_back(tun, old_friend);
  try_one(old_friend);
  Expectation dropped =
      at_listener("listen_drop", "syn_queue_full", stage.self(), server_port, refused);
  dropped.stage = "syn";
  stage.expect(dropped);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

void time_wait_and_cookies(Stage& stage) {
  set_sysctl("net.ipv4.tcp_syncookies", 2);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 4});
  Peer& old_friend = tun.add(30001, server_port);
  leave_in_time_wait(tun, listener, old_friend);
  stage.beside("SyncookiesRecv", 1);
  come_back(tun, old_friend);
  tun.await_syn_ack(old_friend);
  const bool asked_all_the_same = stage.world().moved("SyncookiesSent") == 2;
  stage.claim(listener.embryos() == (asked_all_the_same ? 0U : 1U),
              "the client from TIME_WAIT has a request or a cookie");
  Expectation sent =
      at_listener("syncookie_sent", "always", stage.self(), server_port, {old_friend.port});
  sent.clients[old_friend.port] = asked_all_the_same ? 2 : 1;
  stage.expect(sent);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// The room in the accept queue is asked of everybody, from TIME_WAIT or not.
void time_wait_full_queue(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 1});
  Peer& old_friend = tun.add(30001, server_port);
  leave_in_time_wait(tun, listener, old_friend);
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  come_back(tun, old_friend);
  stage.await_moved("ListenDrops", 1);
  stage.expect(accept_queue_full("syn", stage.self(), listener, {old_friend.port}));
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// First an ACK that a full queue drops without a word, then ACKs that are answered with a RST for
// other reasons: the overflow has nothing to do with them.
void strays_after_overflow(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 6});
  const auto late = tun.add_many(30001, 3, server_port);
  for (Peer* peer : late) {
    shake(tun, *peer);
  }
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  std::vector<uint16_t> strays;
  for (Peer* peer : late) {
    tun.send_ack(*peer);
    for (int copy = 0; copy < 20; ++copy) {
      Peer& stray = tun.add(static_cast<uint16_t>(31001 + strays.size()), server_port);
      tun.send_ack_of(stray, 0x12345678);
      tun.await_reset(stray);
      strays.push_back(stray.port);
    }
  }
  stage.await_moved("ListenOverflows", 3);
  stage.expect(accept_queue_full("ack", stage.self(), listener, ports_of(late)));
  stage.expect(at_listener("reset_sent", "handshake_invalid", stage.self(), server_port, strays));
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// Packets of connections that nobody knows any more are answered with a RST too. No connection was
// attempted.
void strays_to_closed_port(Stage& stage) {
  TunPeers tun;
  stage.go();
  for (Peer* peer : tun.add_many(30001, 3, server_port)) {
    tun.send_ack_of(*peer, 0x12345678);
    tun.await_reset(*peer);
  }
  stage.beside("OutRsts", 3);
}

// tcp_fastopen_queue_check(): more SYNs with data than TCP_FASTOPEN allows at a time are answered
// as SYNs without; their clients send the data again.
void fast_open_queue_full(Stage& stage) {
  constexpr int server_without_cookies = 0x202;
  set_sysctl("net.ipv4.tcp_fastopen", server_without_cookies);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10, .fast_open = 1});
  Peer& first = tun.add(20001, server_port);
  tun.send_syn_with_data(first);
  wait_for("a connection by Fast Open", [&] { return listener.depth() == 1; });
  std::vector<uint16_t> queued = {first.port};
  for (Peer* peer : tun.add_many(20002, 3, server_port)) {
    tun.send_syn_with_data(*peer);
    tun.await_syn_ack(*peer);
    stage.claim(listener.depth() == queued.size(), "the SYN alone makes no connection");
    tun.send_ack(*peer);
    queued.push_back(peer->port);
    wait_for("it to be queued", [&] { return listener.depth() == queued.size(); });
  }
  stage.beside("TCPFastOpenListenOverflow", 3);
  first.isn += 1; // the byte
  tun.await_syn_ack(first);
  tun.send_ack(first);
  wait_for("the last of its handshake", [&] { return listener.embryos() == 0; });
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> lookalike_scenarios() {
  return {
      {"duplicate_syn_full_queue",
       "a repeated SYN of a request, when the accept queue is full: answered",
       duplicate_syn_full_queue},
      {"odd_syns", "SYN+FIN, SYN+RST and SYN+ACK to a full listener: no drop of a handshake",
       odd_syns},
      {"corrupt_syns", "SYNs with wrong checksums to a full listener: that, and not the queue",
       corrupt_syns},
      {"time_wait_returns",
       "a SYN from TIME_WAIT meets a full SYN queue: dropped or not, as the kernel says",
       time_wait_returns},
      {"time_wait_and_cookies",
       "a SYN from TIME_WAIT, cookies always: one or not, as the kernel says",
       time_wait_and_cookies},
      {"time_wait_full_queue", "a SYN from TIME_WAIT meets a full accept queue: dropped",
       time_wait_full_queue},
      {"strays_after_overflow", "RSTs to stray ACKs just after overflows without a RST",
       strays_after_overflow},
      {"fast_open_queue_full",
       "3 SYNs with data find Fast Open's queue full: an ordinary handshake", fast_open_queue_full},
      {"strays_to_closed_port", "stray ACKs to a closed port: reset, and no attempt to connect",
       strays_to_closed_port},
  };
}

} // namespace acceptwatch::scenarios
