// SPDX-License-Identifier: Apache-2.0
//
// usage: connections WORKLOAD ROUNDS UNITS
// Does UNITS units of WORKLOAD in each of ROUNDS rounds, on loopback, in one thread, and
// prints a line for each round, separated by tabs:
//   WORKLOAD  nanoseconds of this thread's CPU time per unit  nanoseconds on the clock per unit
// Workloads:
//   connect       connect(), accept(), and the client resets (SO_LINGER 0)
//   exchange      4 KiB sent and received on an established connection
//   bulk          1 MiB sent and received on an established connection
//   drop          connect() to a listener whose accept queue is full
//
// Where the clock counts instructions (qemu -icount shift=0) a nanosecond is an instruction.
// Loopback delivers a packet in the thread that sends it, so this thread's CPU time has all
// that the kernel and its probes do; the clock has what other processes do besides.
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "connections: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

int must(int result, const char* what) {
  if (result < 0)
    fail(what);
  return result;
}

double nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

struct Shop {
  int listener;
  sockaddr_in address;
};

Shop open_shop(int backlog) {
  Shop shop{must(socket(AF_INET, SOCK_STREAM, 0), "socket"), {}};
  shop.address.sin_family = AF_INET;
  shop.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(shop.address);
  auto* address = reinterpret_cast<sockaddr*>(&shop.address);
  must(bind(shop.listener, address, size), "bind");
  must(listen(shop.listener, backlog), "listen");
  must(getsockname(shop.listener, address, &size), "getsockname");
  return shop;
}

int client_of(const Shop& shop, int flags = 0) {
  const int client = must(socket(AF_INET, SOCK_STREAM | flags, 0), "socket");
  const auto* address = reinterpret_cast<const sockaddr*>(&shop.address);
  if (connect(client, address, sizeof(shop.address)) < 0 && errno != EINPROGRESS)
    fail("connect");
  return client;
}

void connect_and_reset(const Shop& shop) {
  const int client = client_of(shop);
  const int server = must(accept(shop.listener, nullptr, nullptr), "accept");
  const linger now{1, 0};
  must(setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
  close(client);
  close(server);
}

// The SYN is dropped before connect() returns, and nothing is left to be sent again.
void connect_in_vain(const Shop& shop) { close(client_of(shop, SOCK_NONBLOCK)); }

struct Pair {
  int client;
  int server;
  std::vector<char> bytes;
};

Pair open_pair(const Shop& shop, size_t bytes) {
  Pair pair{client_of(shop), 0, std::vector<char>(bytes)};
  pair.server = must(accept(shop.listener, nullptr, nullptr), "accept");
  return pair;
}

void transfer(Pair& pair, size_t total) {
  for (size_t done = 0; done < total; done += pair.bytes.size()) {
    if (send(pair.client, pair.bytes.data(), pair.bytes.size(), 0) != ssize_t(pair.bytes.size()))
      fail("send");
    if (recv(pair.server, pair.bytes.data(), pair.bytes.size(), MSG_WAITALL) < 0)
      fail("recv");
  }
}

template <typename Unit> void measure(const char* name, int rounds, int units, Unit unit) {
  // Caches, code that is patched at its first use, the first pages of the slabs.
  for (int i = 0; i < units / 4 + 1; ++i)
    unit();
  for (int round = 0; round < rounds; ++round) {
    const double cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    const double clock = nanoseconds(CLOCK_MONOTONIC);
    for (int i = 0; i < units; ++i)
      unit();
    const double cpu_after = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    const double clock_after = nanoseconds(CLOCK_MONOTONIC);
    std::printf("%s\t%.1f\t%.1f\n", name, (cpu_after - cpu) / units, (clock_after - clock) / units);
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: connections connect|exchange|bulk|drop ROUNDS UNITS\n", stderr);
    return 2;
  }
  const char* name = argv[1];
  const int rounds = std::atoi(argv[2]);
  const int units = std::atoi(argv[3]);
  const bool drops = std::strcmp(name, "drop") == 0;
  const Shop shop = open_shop(drops ? 0 : 128);
  if (std::strcmp(name, "connect") == 0) {
    measure(name, rounds, units, [&] { connect_and_reset(shop); });
  } else if (std::strcmp(name, "exchange") == 0) {
    Pair pair = open_pair(shop, 4096);
    measure(name, rounds, units, [&] { transfer(pair, 4096); });
  } else if (std::strcmp(name, "bulk") == 0) {
    Pair pair = open_pair(shop, 65536);
    measure(name, rounds, units, [&] { transfer(pair, 1 << 20); });
  } else if (drops) {
    client_of(shop); // a limit of 0 holds one
    measure(name, rounds, units, [&] { connect_in_vain(shop); });
  } else {
    std::fprintf(stderr, "connections: there is no workload '%s'\n", name);
    return 2;
  }
}
