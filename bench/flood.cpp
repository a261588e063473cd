// SPDX-License-Identifier: Apache-2.0
// usage: flood SECONDS        (root; in network namespaces of its own)
//
// A SYN flood at the highest rate that one thread reaches: packets with changing sources are
// written into a TUN device, and come to a listener whose accept queue is full. Beside it a second
// listener that loses one connection every tenth of a second, whose records must not drown.
// Prints what the kernel counted, after it has seen every packet:
//   NETNS PORT_OF_THE_FLOOD PORT_BESIDE SYNS_WRITTEN SYNS_BESIDE LISTENDROPS SECONDS
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr uint16_t flooded_port = 7001, beside_port = 7002;
constexpr const char* server = "10.77.0.1";

struct Packet {
  iphdr ip;
  tcphdr tcp;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void check(bool ok, const char* what) {
  if (!ok)
    die(what);
}

int open_tun() {
  const int tun = open("/dev/net/tun", O_RDWR);
  check(tun >= 0, "/dev/net/tun");
  ifreq request{};
  std::strcpy(request.ifr_name, "flood0");
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  check(ioctl(tun, TUNSETIFF, &request) == 0, "TUNSETIFF");
  const int any = socket(AF_INET, SOCK_DGRAM, 0);
  auto* address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
  address->sin_family = AF_INET;
  inet_pton(AF_INET, server, &address->sin_addr);
  check(ioctl(any, SIOCSIFADDR, &request) == 0, "SIOCSIFADDR");
  inet_pton(AF_INET, "255.255.0.0", &address->sin_addr);
  check(ioctl(any, SIOCSIFNETMASK, &request) == 0, "SIOCSIFNETMASK");
  request.ifr_flags = IFF_UP;
  check(ioctl(any, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
  close(any);
  return tun;
}

uint16_t folded(uint64_t sum) {
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint64_t words(const void* data, size_t size) {
  std::array<uint16_t, sizeof(Packet) / 2> copy{};
  std::memcpy(copy.data(), data, size);
  uint64_t sum = 0;
  for (size_t i = 0; i < size / 2; ++i)
    sum += copy[i];
  return sum;
}

Packet syn(uint32_t number, uint16_t port) {
  Packet packet{};
  packet.ip.version = 4;
  packet.ip.ihl = 5;
  packet.ip.tot_len = htons(sizeof(packet));
  packet.ip.ttl = 64;
  packet.ip.protocol = IPPROTO_TCP;
  packet.ip.saddr = htonl(0x0a4d0100 + number / 50000 % 0xfe00); // in 10.77/16, not the server
  inet_pton(AF_INET, server, &packet.ip.daddr);
  packet.ip.check = folded(words(&packet.ip, sizeof(packet.ip)));
  packet.tcp.source = htons(static_cast<uint16_t>(10000 + number % 50000));
  packet.tcp.dest = htons(port);
  packet.tcp.seq = htonl(number);
  packet.tcp.doff = 5;
  packet.tcp.syn = 1;
  packet.tcp.window = htons(65535);
  packet.tcp.check = folded(words(&packet.tcp, sizeof(packet.tcp)) + words(&packet.ip.saddr, 8) +
                            htons(IPPROTO_TCP) + htons(sizeof(packet.tcp)));
  return packet;
}

/// A listener whose accept queue is full, and stays so.
void fill(uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  check(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "bind");
  check(listen(listener, 0) == 0, "listen");
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "connect");
}

uint64_t listen_drops() {
  std::ifstream file("/proc/thread-self/net/netstat");
  std::string names, values, name, value;
  std::getline(file, names);
  std::getline(file, values);
  std::istringstream each_name(names), each_value(values);
  while (each_name >> name && each_value >> value) {
    if (name == "ListenDrops")
      return std::stoull(value);
  }
  std::exit(1);
}

void set_up_loopback() {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const int any = socket(AF_INET, SOCK_DGRAM, 0);
  check(ioctl(any, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS lo");
  close(any);
}

} // namespace

int main(int, char** arguments) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = std::chrono::seconds(std::atoi(arguments[1]));
  check(unshare(CLONE_NEWNET) == 0, "unshare");
  set_up_loopback();
  const int tun = open_tun();
  fill(flooded_port);
  fill(beside_port);
  const uint64_t before = listen_drops();
  uint32_t written = 0, beside = 0;
  const auto begun = Clock::now();
  auto next_beside = begun;
  for (auto now = begun; now < begun + seconds; now = Clock::now()) {
    for (int i = 0; i < 64; ++i) {
      const Packet packet = syn(written, flooded_port);
      check(write(tun, &packet, sizeof(packet)) == sizeof(packet), "write");
      ++written;
    }
    if (now >= next_beside) {
      const Packet packet = syn(beside++, beside_port);
      check(write(tun, &packet, sizeof(packet)) == sizeof(packet), "write");
      next_beside += std::chrono::milliseconds(100);
    }
  }
  const std::chrono::duration<double> took = Clock::now() - begun;
  while (listen_drops() - before < uint64_t{written} + beside) // as a packet is in a backlog
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  struct stat netns {};
  check(stat("/proc/thread-self/ns/net", &netns) == 0, "stat");
  std::printf("%lu %u %u %u %u %lu %.3f\n", netns.st_ino, flooded_port, beside_port, written,
              beside, listen_drops() - before, took.count());
}
