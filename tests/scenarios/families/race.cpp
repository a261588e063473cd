// SPDX-License-Identifier: Apache-2.0
// Queues that hover at their limits while several CPUs are at work: what one of them has seen of a
// queue, another has changed a moment later. Nobody can say what becomes of a single connection;
// the kernel's counters say how often each thing happened.
#include <sched.h>

#include <array>
#include <atomic>
#include <exception>
#include <random>
#include <thread>

#include "core/error.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9119;
constexpr int client_threads = 3;
constexpr int volley = 24; // connections that a client begins before it resets them

struct Race {
  const char* name;
  const char* about;
  int backlog;
  int cookies;
  int abort;
  int family;
};

constexpr std::array races = {
    Race{"race", "3 threads connect and reset, one accepts: backlog 5", 5, 1, 0, AF_INET},
    Race{"race_v6", "the same over IPv6, backlog 3", 3, 1, 0, AF_INET6},
    Race{"race_backlog_0", "the same with backlog 0", 0, 1, 0, AF_INET},
    Race{"race_backlog_1", "the same with backlog 1", 1, 1, 0, AF_INET},
    Race{"race_backlog_100", "the same with backlog 100", 100, 1, 0, AF_INET},
    Race{"race_no_cookies", "the same, tcp_syncookies=0, backlog 3", 3, 0, 0, AF_INET},
    Race{"race_cookies", "the same, tcp_syncookies=2, backlog 5", 5, 2, 0, AF_INET},
    Race{"race_abort", "the same, tcp_abort_on_overflow=1, backlog 3", 3, 1, 1, AF_INET},
    Race{"race_abort_v6", "the same over IPv6", 3, 1, 1, AF_INET6},
};

const char* address_of(const Race& race) { return race.family == AF_INET ? "127.0.0.1" : "::1"; }

using Random = std::minstd_rand;

void pause_up_to(Random& random, unsigned microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(random() % microseconds));
}

// Connects without waiting for anything, and resets whatever has become of it.
void connect_and_reset(const Race& race, size_t connections, unsigned seed) {
  Random random(seed);
  for (size_t made = 0; made < connections; made += volley) {
    std::vector<Client> clients;
    for (int i = 0; i < volley; ++i) {
      clients.emplace_back(address_of(race), server_port, uint16_t{0});
    }
    pause_up_to(random, 300);
    for (Client& client : clients) {
      client.close_with_reset();
    }
  }
}

void reset_next(const Listener& listener) {
  const int fd = ::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    return;
  }
  const UniqueFd accepted(fd);
  const linger abortive{1, 0};
  ::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &abortive, sizeof(abortive));
}

// A few at a time and now and then none at all, so that the queue is never far from full.
void accept_in_bursts(const Listener& listener, const std::atomic<bool>& over) {
  Random random(4711);
  while (!over) {
    if (readable(listener.fd(), std::chrono::milliseconds(50))) {
      for (auto left = 1 + random() % 4; left > 0; --left) {
        reset_next(listener);
      }
    }
    if (random() % 8 == 0) {
      pause_up_to(random, 400);
    }
  }
  while (listener.depth() > 0) {
    reset_next(listener);
  }
}

// What fails in a thread fails the scenario.
class Crew {
public:
  template <typename Work> void start(size_t place, Work work) {
    threads_.emplace_back([this, place, work] {
      try {
        work();
      } catch (...) {
        failures_[place] = std::current_exception();
      }
    });
  }
  void await() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
    for (const std::exception_ptr& failure : failures_) {
      if (failure) {
        std::rethrow_exception(failure);
      }
    }
  }

private:
  std::vector<std::thread> threads_;
  std::array<std::exception_ptr, client_threads> failures_;
};

void compete(const Race& race, const Listener& listener, size_t connections) {
  std::atomic<bool> over = false;
  std::thread server([&] { accept_in_bursts(listener, over); });
  Crew clients;
  for (unsigned i = 0; i < client_threads; ++i) {
    clients.start(i, [&race, connections, i] {
      connect_and_reset(race, connections / client_threads, i + 1);
    });
  }
  std::exception_ptr failure;
  try {
    clients.await();
  } catch (...) {
    failure = std::current_exception();
  }
  over = true;
  server.join();
  if (failure) {
    std::rethrow_exception(failure);
  }
}

Expectation possible(const Race& race, const Owner& owner, const std::string& action,
                     const std::string& reason, const std::string& stage) {
  Expectation expected = at_listener(action, reason, owner, server_port, {}, race.family);
  expected.stage = stage;
  return expected;
}

// All that may happen here, however often.
std::vector<Expectation> possible_events(const Race& race, const Owner& self) {
  const auto event = [&](const char* action, const char* reason, const char* stage) {
    return possible(race, self, action, reason, stage);
  };
  std::vector<Expectation> all = {
      event("listen_drop", "accept_queue_full", "syn"),
      event("listen_drop", "accept_queue_full", "ack"),
      event("synack_retransmit", "no_ack", ""),
      event("synack_retransmit", "ack_dropped", ""),
      event("handshake_expired", "no_ack", ""),
      event("handshake_expired", "ack_dropped", ""),
      event("reset_received", "handshake", ""),
      event("reset_received", "queued", ""),
      event("reset_sent", "handshake_invalid", ""),
      // So many packets come at once that a CPU's backlog (netdev_max_backlog) fills now and then.
      event("listen_drop", "cpu_backlog", ""),
      // The client's RST waits for one CPU, while its next SYN from the same port is on another.
      event("listen_drop", "old_connection", "syn"),
  };
  if (race.cookies == 0) {
    all.push_back(event("listen_drop", "syn_queue_full", "syn"));
    all.push_back(event("listen_drop", "syn_backlog_reserved", "syn"));
  } else {
    all.push_back(event("syncookie_sent", race.cookies == 1 ? "syn_queue_full" : "always", "syn"));
    all.push_back(event("listen_drop", "accept_queue_full", "cookie"));
    all.push_back(event("listen_drop", "cookie_invalid", ""));
  }
  if (race.abort != 0) {
    all.push_back(event("reset_sent", "abort_on_overflow", "ack"));
  }
  return all;
}

void run(Stage& stage, const Race& race, size_t connections) {
  set_sysctl("net.ipv4.tcp_syncookies", race.cookies);
  set_sysctl("net.ipv4.tcp_abort_on_overflow", race.abort);
  stage.go();
  stage.world().by_chance();
  Listener listener({.address = race.family == AF_INET ? "0.0.0.0" : "::",
                     .port = server_port,
                     .backlog = race.backlog});
  compete(race, listener, connections);
  wait_for(
      "all requests to be over", [&] { return listener.embryos() == 0; }, std::chrono::seconds(80));
  // Until what is held back of the records has been told.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  listener.close();
  const Owner self = stage.self();
  for (Expectation& expected : possible_events(race, self)) {
    stage.expect(std::move(expected));
  }
  for (const char* life : {"listener_opened", "listener_closed"}) {
    Expectation expected = opened(self, server_port);
    expected.action = life;
    expected.count = 0;
    stage.expect(std::move(expected));
  }
  stage.claim(stage.world().moved("ListenDrops") > 0, "the queue was full now and then");
}

} // namespace

std::vector<Scenario> race_scenarios(size_t connections) {
  std::vector<Scenario> scenarios;
  for (const Race& race : races) {
    scenarios.push_back(
        {.name = race.name,
         .about = race.about,
         .play = [race, connections](Stage& stage) { run(stage, race, connections); },
         .alone = true,
         .on_request = true});
  }
  return scenarios;
}

} // namespace acceptwatch::scenarios
