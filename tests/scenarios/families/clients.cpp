// SPDX-License-Identifier: Apache-2.0
// Clients that give up with a RST before anybody has accepted them.
#include <sys/socket.h>

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

// A connection that is accepted, with the server's end of it.
UniqueFd accept_one(TunPeers& tun, Listener& listener, Peer& peer) {
  enqueue(tun, depth_of(listener), peer);
  return listener.accept();
}

void expect_established(Stage& stage, const char* action, const std::vector<Peer*>& peers) {
  stage.expect(at_listener(action, "established", stage.self(), server_port, ports_of(peers),
                           peers.front()->family));
}

// The server resets: it does not linger, it has data that nobody read, or data come that nobody
// is going to read. For the last, tcp_reset() runs as if a RST had been received.
void reset_by_server(Stage& stage, TunPeers& tun, Listener& listener) {
  const auto peers = tun.add_many(22001, 3, server_port);
  UniqueFd impatient = accept_one(tun, listener, *peers[0]);
  const linger at_once{1, 0};
  must(::setsockopt(impatient.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
       "SO_LINGER");
  impatient.reset();
  UniqueFd careless = accept_one(tun, listener, *peers[1]);
  tun.send_data(*peers[1]);
  wait_for("a byte to read", [&] { return readable(careless.get(), patience); });
  careless.reset();
  accept_one(tun, listener, *peers[2]).reset();
  wait_for("a FIN", [&] {
    tun.drain();
    return peers[2]->fins > 0;
  });
  tun.send_data(*peers[2]);
  for (Peer* peer : peers) {
    tun.await_reset(*peer);
  }
  expect_established(stage, "reset_sent", peers);
}

// The client is this host: what it resets itself is no server's, what its server receives is.
void reset_by_own_client(Stage& stage, Listener& listener) {
  Client client("127.0.0.1", server_port, 40001);
  client.await_connected();
  const UniqueFd accepted = listener.accept();
  const int64_t before = counter("EstabResets");
  client.close_with_reset();
  wait_for("both ends to be reset", [&] { return counter("EstabResets") == before + 2; });
  stage.beside("OutRsts", 1);
  stage.expect(
      at_listener("reset_received", "established", stage.self(), server_port, {client.port()}));
}

// --all-resets. What is not accepted yet keeps its own reason.
void all_resets(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  std::vector<UniqueFd> accepted;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto peers = tun.add_many(family == AF_INET ? 20001 : 21001, 3, server_port, family);
    for (Peer* peer : peers) {
      accepted.push_back(accept_one(tun, listener, *peer));
      const int64_t before = counter("EstabResets");
      tun.send_reset(*peer);
      wait_for("the connection to be reset", [&] { return counter("EstabResets") > before; });
    }
    expect_established(stage, "reset_received", peers);
  }
  reset_by_server(stage, tun, listener);
  reset_by_own_client(stage, listener);
  Peer& patient = tun.add(23001, server_port);
  enqueue(tun, depth_of(listener), patient);
  close_listener(stage, listener, {patient.port});
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
      {.name = "all_resets",
       .about = "--all-resets: 10 accepted connections are reset, by either end",
       .play = all_resets,
       .alone = true,
       .arguments = {"--all-resets"}},
  };
}

} // namespace acceptwatch::scenarios
