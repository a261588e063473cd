// SPDX-License-Identifier: Apache-2.0
// RSTs: to a port that nobody listens on, and to those that a closing listener leaves behind.
#include <netinet/tcp.h>

#include "core/error.h"
#include "core/helper.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9103;

Expectation refused(const std::string& server, const std::string& client,
                    const std::vector<uint16_t>& ports) {
  Expectation expected;
  expected.action = "reset_sent";
  expected.reason = "no_listener";
  expected.network_type = network_type(Address::parse(server).family);
  expected.server_address = server;
  expected.client_address = client;
  expected.server_port = server_port;
  expected.clients = once_each(ports);
  expected.no_owner = true;
  return expected;
}

// tcp_v4_rcv() finds no socket: nobody is to blame, and no process may be named.
void closed_port(Stage& stage) {
  TunPeers tun;
  stage.go();
  for (const int family : {AF_INET, AF_INET6}) {
    const std::string address = family == AF_INET ? "127.0.0.1" : "::1";
    const auto first = static_cast<uint16_t>(family == AF_INET ? 40001 : 40101);
    std::vector<uint16_t> ports;
    for (uint16_t number = 0; number < 3; ++number) {
      Client client(address, server_port, static_cast<uint16_t>(first + number));
      stage.claim(client.await_error() == ECONNREFUSED, "a closed port refuses");
      ports.push_back(client.port());
    }
    stage.expect(refused(address, address, ports));

    const auto peers = tun.add_many(static_cast<uint16_t>(first - 10000), 4, server_port, family);
    for (Peer* peer : peers) {
      tun.send_syn(*peer);
      tun.await_reset(*peer);
    }
    stage.expect(refused(TunPeers::server_address(family), TunPeers::client_address(family),
                         ports_of(peers)));
  }
}

// inet_csk_listen_stop() resets every connection that waits to be accepted.
void listener_closed(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  std::vector<uint16_t> queued;
  for (Peer* peer : tun.add_many(20001, 4, server_port)) {
    enqueue(tun, depth_of(listener), *peer);
    queued.push_back(peer->port);
  }
  for (Peer* peer : tun.add_many(30001, 2, server_port)) {
    shake(tun, *peer);
  }
  stage.claim(listener.embryos() == 2, "two requests are in SYN_RECV");
  close_listener(stage, listener, queued);
  for (const uint16_t port : queued) {
    stage.claim(tun.all().at(port).resets == 1 || (tun.drain(), tun.all().at(port).resets == 1),
                cat("client ", port, " was reset"));
  }
  expect_resends(stage, tun);
}

void listener_closed_v6(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  std::vector<uint16_t> queued;
  for (Peer* peer : tun.add_many(20001, 3, server_port, AF_INET6)) {
    enqueue(tun, depth_of(listener), *peer);
    queued.push_back(peer->port);
  }
  close_listener(stage, listener, queued, AF_INET6);
  expect_resends(stage, tun);
}

// Handshakes that are under way go in silence, and their last packets are answered with a RST.
void handshake_outlives_listener(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  std::vector<Peer*> all;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto peers = tun.add_many(family == AF_INET ? 30001 : 31001, 3, server_port, family);
    for (Peer* peer : peers) {
      shake(tun, *peer);
    }
    Expectation reset =
        at_listener("reset_sent", "listener_closed", {}, server_port, ports_of(peers), family);
    reset.stage = "ack";
    reset.server_address = TunPeers::server_address(family);
    reset.client_address = TunPeers::client_address(family);
    reset.owner.reset();
    reset.no_owner = true;
    stage.expect(reset);
    all.insert(all.end(), peers.begin(), peers.end());
  }
  close_listener(stage, listener, {});
  for (Peer* peer : all) {
    tun.send_ack(*peer);
    tun.await_reset(*peer);
  }
  // Nothing is left of them: the same once more fits any connection that is over.
  stage.beside("OutRsts", static_cast<int64_t>(all.size()));
  for (Peer* peer : all) {
    peer->resets = 0;
    tun.send_ack(*peer);
    tun.await_reset(*peer);
  }
  expect_resends(stage, tun);
}

// Nobody calls close(): the kernel does, in the dying process, and its name must still be known.
void listener_killed(Stage& stage) {
  TunPeers tun;
  stage.go();
  Helper holder("aw-killed", [](const Channel& parent) {
    const Listener listener({.port = server_port, .backlog = 10});
    parent.say("listening");
    parent.hear("never");
  });
  holder.channel().hear("listening");
  const Owner owner{holder.pid(), holder.name(), 1};
  std::vector<uint16_t> queued;
  for (Peer* peer : tun.add_many(20001, 5, server_port)) {
    enqueue(tun, depth_of(server_port), *peer);
    queued.push_back(peer->port);
  }
  holder.kill();
  stage.await_moved("OutRsts", 5);
  stage.expect(opened(owner, server_port));
  stage.expect(closed(owner, server_port, 5, 0, "killed"));
  stage.expect(at_listener("reset_sent", "listener_closed", owner, server_port, queued));
  expect_resends(stage, tun, owner);
}

// shutdown(SHUT_RD) ends a listener as close() does, by tcp_disconnect().
void listener_shut_down(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  std::vector<uint16_t> queued;
  for (Peer* peer : tun.add_many(20001, 3, server_port)) {
    enqueue(tun, depth_of(listener), *peer);
    queued.push_back(peer->port);
  }
  stage.expect(closed(stage.self(), server_port, 3, 0, "shutdown"));
  stage.expect(at_listener("reset_sent", "listener_closed", stage.self(), server_port, queued));
  must(::shutdown(listener.fd(), SHUT_RD), "shutdown");
  stage.await_moved("OutRsts", 3);
  expect_resends(stage, tun);
}

// A SYN that is not the first one again, but inside the window of the request that is there:
// tcp_check_req() ends that request.
void syn_out_of_place(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const auto peers = tun.add_many(30001, 3, server_port);
  for (Peer* peer : peers) {
    shake(tun, *peer);
    peer->isn += 10;
    tun.send_syn(*peer);
    tun.await_reset(*peer);
  }
  stage.claim(listener.embryos() == 0, "no request is left");
  Expectation ended =
      at_listener("reset_sent", "handshake_invalid", stage.self(), server_port, ports_of(peers));
  ended.also = "EmbryonicRsts";
  stage.expect(ended);
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// The server has closed, the client has not, and begins anew from the same port:
// tcp_timewait_state_process() resets it (TCP_TW_RST).
void half_closed(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 10});
  for (const int family : {AF_INET, AF_INET6}) {
    Peer& peer = tun.add(family == AF_INET ? 20001 : 21001, server_port, family);
    enqueue(tun, depth_of(listener), peer);
    listener.accept().reset();
    tun.acknowledge_fin(peer);
    wait_for("a connection that waits for the client's FIN",
             [] { return half_closed_on(server_port) > 0; });
    peer.isn += 100; // inside the old connection's window
    tun.send_syn(peer);
    tun.await_reset(peer);
    Expectation refused =
        at_listener("reset_sent", "other", stage.self(), server_port, {peer.port}, family);
    refused.stage = "syn";
    stage.expect(refused);
  }
  close_listener(stage, listener, {});
  expect_resends(stage, tun);
}

// A connection that waits for accept() is given up: its client does not answer a keepalive probe.
void queued_given_up(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  const int once = 1; // second, or probe
  must(::setsockopt(listener.fd(), SOL_SOCKET, SO_KEEPALIVE, &once, sizeof(once)), "SO_KEEPALIVE");
  for (const int option : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
    must(::setsockopt(listener.fd(), IPPROTO_TCP, option, &once, sizeof(once)),
         "a TCP_KEEP option");
  }
  const auto peers = tun.add_many(20001, 3, server_port);
  for (Peer* peer : peers) {
    enqueue(tun, depth_of(listener), *peer);
  }
  for (Peer* peer : peers) {
    tun.await_reset(*peer);
  }
  Expectation given_up =
      at_listener("reset_sent", "other", stage.self(), server_port, ports_of(peers));
  given_up.stage = "queued";
  stage.expect(given_up);
  stage.claim(listener.depth() == 3, "the dead ones still count");
  stage.expect(closed(stage.self(), server_port, 3, 0));
  listener.close();
  expect_resends(stage, tun);
}

} // namespace

std::vector<Scenario> reset_scenarios() {
  return {
      {"closed_port", "connection attempts to a port without a listener, IPv4 and IPv6",
       closed_port},
      {"listener_closed", "close() with 4 queued connections and 2 requests", listener_closed,
       false, true},
      {"listener_closed_v6", "close() of a [::] listener with 3 queued IPv6 connections",
       listener_closed_v6},
      {"handshake_outlives_listener", "close() with 6 requests, whose clients then send their ACKs",
       handshake_outlives_listener},
      {"listener_killed", "kill -9 of the owner with 5 queued connections", listener_killed},
      {"listener_shut_down", "shutdown(SHUT_RD) of a listener with 3 queued connections",
       listener_shut_down},
      {"half_closed", "a SYN from the port of a connection that only the server has closed",
       half_closed},
      {"queued_given_up", "3 queued connections do not answer a keepalive probe", queued_given_up},
      {"syn_out_of_place", "3 requests are ended by a SYN that is none of theirs",
       syn_out_of_place},
  };
}

} // namespace acceptwatch::scenarios
