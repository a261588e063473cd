// SPDX-License-Identifier: Apache-2.0
// ACKs that bring a cookie back: cookie_v4_check() and cookie_v6_check().
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9106;

Expectation cookies_sent(Stage& stage, const std::vector<uint16_t>& ports, int family) {
  Expectation sent =
      at_listener("syncookie_sent", "always", stage.self(), server_port, ports, family);
  sent.stage = "syn";
  return sent;
}

// A valid cookie comes back, and there is no room any more: the request exists only to be dropped.
void cookie_onto_full_queue_of(Stage& stage, int family) {
  set_sysctl("net.ipv4.tcp_syncookies", 2);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 1});
  const auto late = tun.add_many(30001, 3, server_port, family);
  for (Peer* peer : late) {
    shake(tun, *peer);
  }
  const std::vector<uint16_t> queued = fill(tun, listener, 20001, family);
  for (Peer* peer : late) {
    tun.send_ack(*peer);
  }
  stage.await_moved("ListenOverflows", 3);
  stage.beside("SyncookiesRecv", 2); // those that were queued
  std::vector<uint16_t> with_cookie = ports_of(late);
  with_cookie.insert(with_cookie.end(), queued.begin(), queued.end());
  stage.expect(cookies_sent(stage, with_cookie, family));
  Expectation dropped = accept_queue_full("cookie", stage.self(), listener, ports_of(late), family);
  dropped.syn_depth = Range::exactly(0);
  stage.expect(dropped);
  close_listener(stage, listener, queued, family);
  expect_resends(stage, tun);
}

void cookie_onto_full_queue(Stage& stage) { cookie_onto_full_queue_of(stage, AF_INET); }

void cookie_onto_full_queue_v6(Stage& stage) { cookie_onto_full_queue_of(stage, AF_INET6); }

// A cookie that the kernel never made: the ACK is dropped, and answered with a RST.
void cookie_invalid_of(Stage& stage, int family) {
  set_sysctl("net.ipv4.tcp_syncookies", 2);
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  // Cookies are only looked at for a while after one was sent (tcp_synq_no_recent_overflow()).
  Peer& honest = tun.add(20001, server_port, family);
  enqueue(tun, depth_of(listener), honest);
  stage.expect(cookies_sent(stage, {honest.port}, family));
  stage.beside("SyncookiesRecv", 1);
  const auto forgers = tun.add_many(30001, 3, server_port, family);
  for (Peer* peer : forgers) {
    tun.send_ack_of(*peer, 0x12345678);
    tun.await_reset(*peer);
  }
  Expectation dropped = at_listener("listen_drop", "cookie_invalid", stage.self(), server_port,
                                    ports_of(forgers), family);
  dropped.stage = "cookie";
  stage.expect(dropped);
  stage.expect(at_listener("reset_sent", "handshake_invalid", stage.self(), server_port,
                           ports_of(forgers), family));
  close_listener(stage, listener, {honest.port}, family);
  expect_resends(stage, tun);
}

void cookie_invalid(Stage& stage) { cookie_invalid_of(stage, AF_INET); }

void cookie_invalid_v6(Stage& stage) { cookie_invalid_of(stage, AF_INET6); }

// An ACK out of the blue, to a listener that has sent no cookie: no cookie is looked for, the
// kernel only answers with a RST.
void stray_ack(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto strays = tun.add_many(30001, 3, server_port);
  for (Peer* peer : strays) {
    tun.send_ack_of(*peer, 0x12345678);
    tun.await_reset(*peer);
  }
  stage.expect(
      at_listener("reset_sent", "handshake_invalid", stage.self(), server_port, ports_of(strays)));
  close_listener(stage, listener, {});
}

} // namespace

std::vector<Scenario> cookie_scenarios() {
  return {
      {"cookie_onto_full_queue", "3 valid cookies come back to a full accept queue",
       cookie_onto_full_queue, false, true},
      {"cookie_onto_full_queue_v6", "the same over IPv6", cookie_onto_full_queue_v6},
      {"cookie_invalid", "3 forged cookies: dropped and reset", cookie_invalid},
      {"cookie_invalid_v6", "the same over IPv6", cookie_invalid_v6},
      {"stray_ack", "ACKs without a handshake: reset, and nothing was lost", stray_ack},
  };
}

} // namespace acceptwatch::scenarios
