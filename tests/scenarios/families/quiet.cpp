// SPDX-License-Identifier: Apache-2.0
// Healthy traffic: nothing is lost, and nothing may be reported.
#include <netinet/tcp.h>
#include <poll.h>

#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9104;

// On a slow machine an ACK that is delayed by 40 ms comes when the other end has forgotten the
// connection, and the listener answers it with a RST. Not every kernel has this for MPTCP.
void ack_at_once(int fd) {
  const int yes = 1;
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof(yes)));
}

// Waits for the other end's FIN.
void await_end(int fd) {
  char byte = 0;
  if (!readable(fd, patience) || must(::recv(fd, &byte, 1, 0), "waiting for the end") != 0) {
    throw Failure("a healthy connection did not end with a FIN");
  }
}

// A connection that is accepted at once, and closed by one side and then by the other.
void healthy_connection(Listener& listener, const std::string& address, uint16_t client_port,
                        bool client_closes_first) {
  Client client(address, listener.port(), client_port);
  UniqueFd accepted = listener.accept();
  client.await_connected();
  ack_at_once(accepted.get());
  ack_at_once(client.fd());
  if (client_closes_first) {
    client.close();
    await_end(accepted.get());
  } else {
    accepted.reset();
    await_end(client.fd());
  }
}

// Where one is delayed all the same, or a FIN was sent again and is answered twice, and it comes
// to an end that has forgotten the connection: its RST is nothing of a handshake.
void allow_late_acks(Stage& stage) {
  if (stage.world().moved("DelayedACKs") + stage.world().moved("TCPTimeouts") > 0) {
    stage.beside("OutRsts", stage.world().moved("OutRsts"));
  }
}

void quiet_control(Stage& stage) {
  stage.go();
  stage.world().nothing_else();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 128});
  // No port twice: a SYN that meets an old TIME_WAIT may be answered with an ACK, and that with a
  // RST.
  for (uint16_t client_port = 20000; client_port < 21000; ++client_port) {
    const bool client_closes_first = client_port % 2 == 0;
    healthy_connection(listener, "127.0.0.1", client_port, client_closes_first);
    healthy_connection(listener, "::1", client_port, client_closes_first);
  }
  close_listener(stage, listener, {});
  allow_late_acks(stage);
}

// A kind of healthy connections; each has a server port of its own.
struct Kind {
  std::string address;
  ListenerOptions options;
  int syncookies = 1;
  size_t listeners = 1;
};

constexpr int backlog = 256;

std::vector<Kind> kinds_here() {
  std::vector<Kind> kinds = {
      {"127.0.0.1", {}, 1},
      {"::1", {.address = "::"}, 1},
      {"127.0.0.1", {.address = "::"}, 0},
      {"::1", {.address = "::1"}, 0},
      {"127.0.0.1", {.reuse_port = true}, 1, 4},
      {"127.0.0.1", {.defer_accept = 30}, 1},
      {"127.0.0.1", {.fast_open = backlog}, 1},
  };
  if (has_mptcp()) {
    kinds.push_back({"127.0.0.1", {.protocol = ipproto_mptcp}, 1});
  }
  for (size_t at = 0; at < kinds.size(); ++at) {
    kinds[at].options.port = static_cast<uint16_t>(server_port + 1 + at);
    kinds[at].options.backlog = backlog;
  }
  return kinds;
}

UniqueFd connect_and_send(const Kind& kind, uint16_t own_port) {
  sockaddr_storage server;
  const socklen_t size = to_sockaddr(kind.address, kind.options.port, server);
  sockaddr_storage own;
  to_sockaddr(kind.address, own_port, own);
  const int protocol = own_port % 2 == 0 ? kind.options.protocol : IPPROTO_TCP;
  UniqueFd fd(must(::socket(server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol), "socket"));
  const int yes = 1;
  must(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), "SO_REUSEADDR");
  must(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), size), "bind");
  const auto* to = reinterpret_cast<const sockaddr*>(&server);
  if (kind.options.fast_open > 0) {
    must(::sendto(fd.get(), "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, to, size), "MSG_FASTOPEN");
  } else {
    must(::connect(fd.get(), to, size), "connect");
    must(::send(fd.get(), "x", 1, MSG_NOSIGNAL), "send");
  }
  ack_at_once(fd.get());
  return fd;
}

// From whichever listener has one.
std::vector<UniqueFd> accept_all(const std::vector<Listener>& listeners, size_t count) {
  std::vector<UniqueFd> accepted;
  wait_for(cat(count, " connections to accept"), [&] {
    for (const Listener& listener : listeners) {
      for (;;) {
        UniqueFd one(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!one.valid()) {
          break;
        }
        ack_at_once(one.get());
        accepted.push_back(std::move(one));
      }
    }
    return accepted.size() >= count;
  });
  return accepted;
}

// The one side closes, and then the other.
void end_in_turn(std::vector<UniqueFd>& first, std::vector<UniqueFd>& second) {
  first.clear();
  for (const UniqueFd& fd : second) {
    await_end(fd.get());
  }
  second.clear();
}

void healthy_batch(const Kind& kind, const std::vector<Listener>& listeners, uint16_t first_port,
                   size_t count, bool clients_close_first) {
  std::vector<UniqueFd> clients;
  for (size_t number = 0; number < count; ++number) {
    clients.push_back(connect_and_send(kind, static_cast<uint16_t>(first_port + number)));
  }
  std::vector<UniqueFd> accepted = accept_all(listeners, count);
  for (const UniqueFd& fd : accepted) {
    char byte = 0;
    must(::recv(fd.get(), &byte, 1, 0), "receiving");
  }
  if (clients_close_first) {
    end_in_turn(clients, accepted);
  } else {
    end_in_turn(accepted, clients);
  }
}

void healthy_kind(Stage& stage, const Kind& kind, size_t count) {
  constexpr size_t most_at_once = 50;
  constexpr size_t first_port = 20000;
  set_sysctl("net.ipv4.tcp_syncookies", kind.syncookies);
  std::vector<Listener> listeners;
  for (size_t number = 0; number < kind.listeners; ++number) {
    listeners.emplace_back(kind.options);
    stage.expect(opened(stage.self(), kind.options.port));
  }
  for (size_t done = 0; done < count;) {
    const size_t size = std::min(most_at_once, count - done);
    healthy_batch(kind, listeners, static_cast<uint16_t>(first_port + done), size,
                  done / most_at_once % 2 == 0);
    done += size;
  }
  for (Listener& listener : listeners) {
    stage.expect(closed(stage.self(), listener.port(), 0, 0));
    listener.close();
  }
  if (kind.options.defer_accept > 0) {
    // The bare ACKs are ignored on purpose, which is no loss.
    stage.beside("TCPDeferAcceptDrop", static_cast<int64_t>(count));
  }
}

void quiet_kinds(Stage& stage, size_t count) {
  set_sysctl("net.ipv4.tcp_fastopen", 3);
  const std::vector<Kind> kinds = kinds_here();
  stage.go();
  stage.world().nothing_else();
  for (const Kind& kind : kinds) {
    healthy_kind(stage, kind, count / kinds.size() + 1);
  }
  stage.claim(stage.world().moved("TCPFastOpenPassive") > 0, "data came with a SYN");
  allow_late_acks(stage);
}

} // namespace

std::vector<Scenario> quiet_scenarios() {
  return {
      {"quiet_control", "2,000 healthy connections: nothing but the listener's own life",
       quiet_control, false, true},
      {"quiet_kinds", "2,000 more: cookies or not, reuseport, deferred, fast open, MPTCP",
       [](Stage& stage) { quiet_kinds(stage, 2000); }, false, false, true},
      {"quiet_50000", "50,000 of those", [](Stage& stage) { quiet_kinds(stage, 50000); }, true,
       false, true},
  };
}

} // namespace acceptwatch::scenarios
