// SPDX-License-Identifier: Apache-2.0
// Healthy traffic: nothing is lost, and nothing may be reported.
#include <poll.h>

#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9104;

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
  if (client_closes_first) {
    client.close();
    await_end(accepted.get());
  } else {
    accepted.reset();
    await_end(client.fd());
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
}

} // namespace

std::vector<Scenario> quiet_scenarios() {
  return {
      {"quiet_control", "2,000 healthy connections: nothing but the listener's own life",
       quiet_control, false, true},
  };
}

} // namespace acceptwatch::scenarios
