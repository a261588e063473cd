// SPDX-License-Identifier: Apache-2.0
// Connections that are accepted, and that their owner closes at once.
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/sight.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9111;
constexpr size_t of_each = 3;

// The server's end of a connection, and what the client does beside.
struct Conversation {
  TunPeers& tun;
  Peer& peer;
  UniqueFd server;

  void send() {
    tun.send_data(peer);
    wait_for("a byte to read", [&] { return readable(server.get(), patience); });
  }
  void read() {
    char byte = 0;
    must(::recv(server.get(), &byte, 1, 0), "reading");
  }
  void write() { must(::send(server.get(), "no", 2, MSG_NOSIGNAL), "writing"); }
  // Without lingering in FIN_WAIT: the client ends its side as well.
  void close() {
    server.reset();
    wait_for("a FIN", [&] {
      tun.drain();
      return peer.fins > 0;
    });
    tun.answer_fin(peer);
  }
  void reset() {
    const linger at_once{1, 0};
    must(::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), "SO_LINGER");
    server.reset();
    tun.await_reset(peer);
  }
};

using Ends = std::function<void(Conversation&)>;

struct Served {
  TunPeers tun;
  Stage& stage;
  Listener listener;
  uint16_t next_port = 20001;

  explicit Served(Stage& on)
      : stage((on.go(), on)),
        listener(open_listener(on, {.address = "::", .port = server_port, .backlog = 20})) {}

  // Of each family some conversations that end so. A reason: they are told for it.
  void end_as(const std::string& reason, const Ends& ends) {
    for (const int family : {AF_INET, AF_INET6}) {
      const auto peers = tun.add_many(next_port, of_each, server_port, family);
      next_port += of_each;
      for (Peer* peer : peers) {
        enqueue(tun, depth_of(listener), *peer);
        Conversation conversation{tun, *peer, listener.accept()};
        ends(conversation);
      }
      if (!reason.empty())
        stage.expect(at_listener("closed_after_accept", reason, stage.self(), server_port,
                                 ports_of(peers), family));
    }
  }
};

void leave_unread(Conversation& c) {
  c.send();
  c.server.reset();
  c.tun.await_reset(c.peer);
}

// A process of its own has it, as servers do that fork for each client.
void serve_by_process(Conversation& c, int exit_status) {
  c.send();
  Helper child("aw-session", [&](const Channel& parent) {
    c.read();
    c.write();
    parent.say("served");
    parent.hear("closed");
    ::_exit(exit_status);
  });
  child.channel().hear("served");
  c.server.reset();
  child.channel().say("closed");
  child.await_exit();
  c.close();
}

void serve(Conversation& c) {
  c.send();
  c.read();
  c.write();
  c.close();
}

void unserved_connections(Served& served) {
  served.end_as("unread", leave_unread);
  served.end_as("reset", [](Conversation& c) { c.reset(); });
  served.end_as("unserved", [](Conversation& c) { c.close(); });
  served.end_as("turned_away", [](Conversation& c) {
    c.write();
    c.close();
  });
  served.end_as("process_failed", [](Conversation& c) { serve_by_process(c, 1); });
}

// What healthy servers, and clients, do.
void ordinary_connections(Served& served) {
  served.end_as("", serve);
  served.end_as("", [](Conversation& c) { serve_by_process(c, 0); });
  served.end_as("", [](Conversation& c) {
    const int64_t before = counter("EstabResets");
    c.tun.send_reset(c.peer);
    wait_for("the connection to be reset", [&] { return counter("EstabResets") > before; });
  });
}

constexpr size_t all_of_a_kind = 2 * of_each;

void after_accept(Stage& stage) {
  Served served(stage);
  unserved_connections(served);
  ordinary_connections(served);
  stage.beside("OutRsts", 2 * all_of_a_kind);
  close_listener(stage, served.listener, {});
  expect_resends(stage, served.tun);
}

// Nobody asked for them.
void after_accept_unasked(Stage& stage) {
  Served served(stage);
  served.end_as("", leave_unread);
  served.end_as("", [](Conversation& c) { c.close(); });
  stage.beside("OutRsts", all_of_a_kind);
  close_listener(stage, served.listener, {});
  expect_resends(stage, served.tun);
}

} // namespace

std::vector<Scenario> after_accept_scenarios() {
  return {
      {.name = "after_accept",
       .about = "--after-accept: 30 connections are closed at once, unserved; 18 are not told",
       .play = after_accept,
       .alone = true,
       .condition = asks_after_accept,
       .arguments = {"--after-accept"}},
      {"after_accept_unasked", "12 connections are closed at once: nothing to report",
       after_accept_unasked},
  };
}

} // namespace acceptwatch::scenarios
