// SPDX-License-Identifier: Apache-2.0
// Clients that give up with a RST before anybody has accepted them.
#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9108;

// tcp_check_req() drops the request.
void reset_in_handshake(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  for (const int family : {AF_INET, AF_INET6}) {
    const auto peers = tun.add_many(family == AF_INET ? 20001 : 21001, 3, server_port, family);
    for (Peer* peer : peers) {
      shake(tun, *peer);
      tun.send_reset(*peer);
    }
    wait_for("the requests to be gone", [&] { return listener.embryos() == 0; });
    stage.expect(at_listener("reset_received", "handshake", stage.self(), server_port,
                             ports_of(peers), family));
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// tcp_reset() of a connection that waits in the accept queue. It stays there, dead: accept() would
// return it.
void reset_when_queued(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 20});
  std::vector<uint16_t> alive;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto peers = tun.add_many(family == AF_INET ? 20001 : 21001, 3, server_port, family);
    for (Peer* peer : peers) {
      enqueue(tun, depth_of(listener), *peer);
      const int64_t before = counter("EstabResets");
      tun.send_reset(*peer);
      wait_for("the connection to be reset", [&] { return counter("EstabResets") > before; });
    }
    stage.expect(at_listener("reset_received", "queued", stage.self(), server_port, ports_of(peers),
                             family));
  }
  Peer& patient = tun.add(20101, server_port);
  enqueue(tun, depth_of(listener), patient);
  stage.claim(listener.depth() == 7, "the dead ones still count");
  stage.expect(closed(stage.self(), server_port, 7, 0));
  stage.expect(
      at_listener("reset_sent", "listener_closed", stage.self(), server_port, {patient.port}));
  listener.close();
  expect_resends(stage, tun);
}

// A RST on a connection that was accepted is none of these.
void reset_when_accepted(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  std::vector<UniqueFd> accepted;
  for (Peer* peer : tun.add_many(20001, 3, server_port)) {
    enqueue(tun, depth_of(listener), *peer);
    accepted.push_back(listener.accept());
    const int64_t before = counter("EstabResets");
    tun.send_reset(*peer);
    wait_for("the connection to be reset", [&] { return counter("EstabResets") > before; });
  }
  stage.world().nothing_else();
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> client_scenarios() {
  return {
      {"reset_in_handshake", "6 clients reset a request in SYN_RECV", reset_in_handshake},
      {"reset_when_queued", "6 clients reset a connection that nobody has accepted yet",
       reset_when_queued},
      {"reset_when_accepted", "3 clients reset accepted connections: nothing to report",
       reset_when_accepted},
  };
}

} // namespace acceptwatch::scenarios
