// SPDX-License-Identifier: Apache-2.0
// The SYN queue: full without cookies, full with cookies, and the quarter of tcp_max_syn_backlog
// that is kept back.
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9105;

// Requests that nobody completes, one after the other, until `counter` says that one was treated
// differently. How many get in is the kernel's business: inet_csk_reqsk_queue_is_full() was "qlen
// >= max" in 5.10 and is "qlen > max".
std::vector<uint16_t> crowd_in_until(Stage& stage, TunPeers& tun, const std::string& counter) {
  constexpr uint16_t first_port = 20001;
  constexpr uint16_t most = 64;
  std::vector<uint16_t> let_in;
  for (uint16_t number = 0; number < most; ++number) {
    Peer& peer = tun.add(static_cast<uint16_t>(first_port + number), server_port);
    tun.send_syn(peer);
    wait_for(cat("a SYN-ACK or ", counter), [&] {
      tun.drain();
      return peer.syn_acks > 0 || stage.world().moved(counter) > 0;
    });
    if (stage.world().moved(counter) > 0) {
      return let_in;
    }
    let_in.push_back(peer.port);
  }
  throw Failure(cat(most, " requests got in, and ", counter, " never moved"));
}

uint16_t next_of(const std::vector<uint16_t>& let_in) {
  return static_cast<uint16_t>(let_in.back() + 1);
}

// Dropped by tcp_conn_request() before any request existed: the one that found out, and four more.
void refuse_five(Stage& stage, TunPeers& tun, const std::vector<uint16_t>& let_in,
                 Expectation expected) {
  lose_syns(stage, tun, tun.add_many(30001, 4, server_port));
  expected.stage = "syn";
  expected.clients = once_each({next_of(let_in), 30001, 30002, 30003, 30004});
  expected.syn_depth = Range::exactly(static_cast<int64_t>(let_in.size()));
  expected.accept_depth = Range::exactly(0);
  stage.expect(expected);
}

void syn_queue_full_no_cookies(Stage& stage) {
  set_sysctl("net.ipv4.tcp_syncookies", 0);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 4});
  const std::vector<uint16_t> let_in = crowd_in_until(stage, tun, "TCPReqQFullDrop");
  Expectation expected =
      at_listener("listen_drop", "syn_queue_full", stage.self(), server_port, {});
  expected.accept_limit = Range::exactly(4);
  // "The limit that the kernel really applies": where 4 requests are already too many, 3 and 4 are
  // both said of it.
  expected.syn_limit = let_in.size() == 4 ? Range{3, 4} : Range::exactly(4);
  refuse_five(stage, tun, let_in, expected);
  stage.claim(listener.embryos() == let_in.size(), "requests that got in are in SYN_RECV");
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// No drop: the client is answered, and gets in if it completes the handshake.
void syn_queue_full_cookies(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 4});
  const std::vector<uint16_t> let_in = crowd_in_until(stage, tun, "SyncookiesSent");
  std::vector<uint16_t> with_cookie = {next_of(let_in)};
  for (Peer* peer : tun.add_many(30001, 6, server_port)) {
    shake(tun, *peer);
    with_cookie.push_back(peer->port);
  }
  Peer& completed = tun.add(30101, server_port);
  shake(tun, completed);
  tun.send_ack(completed);
  wait_for("a cookie to be accepted", [&] { return listener.depth() == 1; });
  with_cookie.push_back(completed.port);
  stage.beside("SyncookiesRecv", 1);

  Expectation sent =
      at_listener("syncookie_sent", "syn_queue_full", stage.self(), server_port, with_cookie);
  sent.stage = "syn";
  sent.syn_depth = Range::exactly(static_cast<int64_t>(let_in.size()));
  sent.accept_limit = Range::exactly(4);
  stage.expect(sent);
  close_listener(stage, listener, {completed.port});
  expect_resends(stage, tun);
}

// tcp_syncookies=2: every SYN is answered with a cookie, and no request is ever kept.
void cookies_always(Stage& stage) {
  set_sysctl("net.ipv4.tcp_syncookies", 2);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  std::vector<uint16_t> queued[2];
  for (const int family : {AF_INET, AF_INET6}) {
    auto& ports = queued[family == AF_INET ? 0 : 1];
    for (Peer* peer : tun.add_many(family == AF_INET ? 20001 : 21001, 3, server_port, family)) {
      enqueue(tun, depth_of(listener), *peer);
      ports.push_back(peer->port);
    }
    Expectation sent =
        at_listener("syncookie_sent", "always", stage.self(), server_port, ports, family);
    sent.stage = "syn";
    sent.syn_depth = Range::exactly(0);
    stage.expect(sent);
    stage.expect(
        at_listener("reset_sent", "listener_closed", stage.self(), server_port, ports, family));
  }
  stage.beside("SyncookiesRecv", 6);
  stage.expect(closed(stage.self(), server_port, 6, 0));
  listener.close();
  expect_resends(stage, tun);
}

// Without cookies the last quarter of tcp_max_syn_backlog is for peers that have been here before:
// ListenDrops is all that the kernel counts of it.
void quarter_rule(Stage& stage) {
  constexpr int max_syn_backlog = 16;
  set_sysctl("net.ipv4.tcp_syncookies", 0);
  set_sysctl("net.ipv4.tcp_max_syn_backlog", max_syn_backlog);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 100});
  const std::vector<uint16_t> let_in = crowd_in_until(stage, tun, "ListenDrops");
  Expectation expected =
      at_listener("listen_drop", "syn_backlog_reserved", stage.self(), server_port, {});
  expected.accept_limit = Range::exactly(100);
  expected.syn_limit = Range::exactly(max_syn_backlog - (max_syn_backlog >> 2));
  refuse_five(stage, tun, let_in, expected);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// A SYN that meets a full SYN queue and a full accept queue gets no cookie either:
// tcp_conn_request() decides for a cookie (and counts that) and then drops the SYN for the other
// queue.
void both_queues_full(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 4});
  std::vector<Peer*> embryos = tun.add_many(30001, 4, server_port);
  for (Peer* peer : embryos) {
    shake(tun, *peer);
  }
  std::vector<uint16_t> queued;
  for (Peer* peer : tun.add_many(20001, 2, server_port)) {
    // On 5.10 the four requests have filled the SYN queue, and this handshake goes by cookie.
    enqueue(tun, depth_of(listener), *peer);
    queued.push_back(peer->port);
  }
  const auto cookies = static_cast<uint16_t>(stage.world().moved("SyncookiesSent"));
  listener.listen(1);
  lose_syns(stage, tun, tun.add_many(31001, 3, server_port));
  Expectation expected = accept_queue_full("syn", stage.self(), listener, {31001, 31002, 31003});
  expected.syn_depth = Range::exactly(4);
  expected.also = "TCPReqQFullDoCookies";
  stage.expect(expected);
  if (cookies > 0) {
    stage.claim(cookies == 2, "either both handshakes went by cookie or none");
    stage.expect(
        at_listener("syncookie_sent", "syn_queue_full", stage.self(), server_port, queued));
    stage.beside("SyncookiesRecv", cookies);
  }
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// listen(fd, 0) is a queue of one. To 5.10 its SYN queue is full even when it is empty, so that
// every SYN is answered with a cookie; other kernels keep a request.
void zero_backlog(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 0});
  const std::vector<uint16_t> queued = fill(tun, listener, 20001);
  stage.claim(queued.size() == 1, "one connection fills a backlog of 0");
  const bool by_cookie = stage.world().moved("SyncookiesSent") > 0;
  lose_syns(stage, tun, tun.add_many(30001, 4, server_port));
  Expectation dropped =
      accept_queue_full("syn", stage.self(), listener, {30001, 30002, 30003, 30004});
  if (by_cookie) {
    stage.expect(
        at_listener("syncookie_sent", "syn_queue_full", stage.self(), server_port, queued));
    stage.beside("SyncookiesRecv", 1);
    dropped.also = "TCPReqQFullDoCookies"; // decided on and not sent
  }
  stage.expect(dropped);
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> syn_queue_scenarios() {
  return {
      {"syn_queue_full_no_cookies", "tcp_syncookies=0: 5 SYNs meet a full SYN queue",
       syn_queue_full_no_cookies, false, true},
      {"syn_queue_full_cookies", "tcp_syncookies=1: they are answered with cookies",
       syn_queue_full_cookies, false, true},
      {"cookies_always", "tcp_syncookies=2: every handshake goes by cookie, IPv4 and IPv6",
       cookies_always},
      {"quarter_rule", "tcp_syncookies=0: the last quarter of tcp_max_syn_backlog", quarter_rule},
      {"zero_backlog", "listen(fd, 0): one is queued, 4 SYNs are dropped", zero_backlog},
      {"both_queues_full", "a cookie is decided on, and the SYN dropped for the accept queue",
       both_queues_full},
  };
}

} // namespace acceptwatch::scenarios
