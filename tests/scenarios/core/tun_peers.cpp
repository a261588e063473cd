// SPDX-License-Identifier: Apache-2.0
#include "core/tun_peers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <fstream>

#include "core/error.h"
#include "core/netns.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

namespace {

const std::string device_name = "aw0";

// Of <linux/ipv6.h>, which cannot be included together with <netinet/in.h>.
struct In6Ifreq {
  in6_addr address;
  uint32_t prefix_length;
  int interface_index;
};

UniqueFd open_tun() {
  int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    ::mkdir("/dev/net", 0755);
    ::mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200));
    fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  }
  if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
    throw Skip("no TUN device on this kernel (module tun not loaded)");
  }
  return UniqueFd(must(fd, "/dev/net/tun"));
}

ifreq named_request() {
  ifreq request{};
  device_name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

void set_ipv4(int control, unsigned long what, const std::string& text) {
  ifreq request = named_request();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  std::memcpy(&request.ifr_addr, &address, sizeof(address));
  must(::ioctl(control, what, &request), "IPv4 address of " + device_name);
}

void set_ipv6(const std::string& text) {
  const UniqueFd control(must(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "IPv6 socket"));
  In6Ifreq request{};
  ::inet_pton(AF_INET6, text.c_str(), &request.address);
  request.prefix_length = 64;
  request.interface_index = static_cast<int>(::if_nametoindex(device_name.c_str()));
  must(::ioctl(control.get(), SIOCSIFADDR, &request), "IPv6 address of " + device_name);
}

// addrconf_dad_work() takes the address into use, in a worker thread, even where no duplicate is
// looked for.
bool is_ipv6_usable() {
  constexpr unsigned tentative = 0x40;
  std::ifstream file("/proc/net/if_inet6");
  std::string address;
  std::string index;
  std::string prefix;
  std::string scope;
  std::string name;
  unsigned flags = 0;
  while (file >> address >> index >> prefix >> scope >> std::hex >> flags >> name) {
    if (name == device_name && address.rfind("fd98", 0) == 0) {
      return (flags & tentative) == 0;
    }
  }
  return false;
}

} // namespace

TunPeers::TunPeers() : tun_(open_tun()) {
  ifreq request = named_request();
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  must(::ioctl(tun_.get(), TUNSETIFF, &request), "TUNSETIFF");

  const UniqueFd control(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  // Room for a burst of answers that nobody has read yet: a TUN device drops what its queue cannot
  // hold.
  request = named_request();
  request.ifr_qlen = 10000;
  must(::ioctl(control.get(), SIOCSIFTXQLEN, &request), "SIOCSIFTXQLEN");
  set_link_up(device_name);
  set_ipv4(control.get(), SIOCSIFADDR, server_address(AF_INET));
  set_ipv4(control.get(), SIOCSIFNETMASK, "255.255.0.0");
  set_ipv6(server_address(AF_INET6));
  wait_for("the IPv6 address of " + device_name, is_ipv6_usable);
}

const char* TunPeers::device() { return device_name.c_str(); }

std::string TunPeers::server_address(int family) {
  return family == AF_INET ? "10.98.0.1" : "fd98::1";
}

std::string TunPeers::client_address(int family) {
  return family == AF_INET ? "10.98.0.2" : "fd98::2";
}

std::string TunPeers::away_address() { return "10.98.0.3"; }

std::string TunPeers::roaming_address() { return "10.98.0.4"; }

std::string TunPeers::address_of(const Peer& peer) {
  return peer.address.empty() ? client_address(peer.family) : peer.address;
}

Peer& TunPeers::add(uint16_t port, uint16_t server_port, int family) {
  const auto [place, is_new] = peers_.try_emplace(port);
  if (!is_new) {
    throw Failure(cat("two peers with port ", port));
  }
  Peer& peer = place->second;
  peer.family = family;
  peer.port = port;
  peer.server_port = server_port;
  peer.isn = 1000000U + port * 1000U;
  return peer;
}

std::vector<Peer*> TunPeers::add_many(uint16_t first_port, size_t count, uint16_t server_port,
                                      int family) {
  std::vector<Peer*> result;
  for (size_t number = 0; number < count; ++number) {
    result.push_back(&add(static_cast<uint16_t>(first_port + number), server_port, family));
  }
  return result;
}

Segment TunPeers::segment_of(const Peer& peer, uint8_t flags, uint32_t sequence,
                             uint32_t acknowledgement) const {
  Segment segment;
  segment.source = Address::parse(address_of(peer));
  segment.destination = Address::parse(server_address(peer.family));
  segment.source_port = peer.port;
  segment.destination_port = peer.server_port;
  segment.flags = flags;
  segment.sequence = sequence;
  segment.acknowledgement = acknowledgement;
  return segment;
}

void TunPeers::write(const std::vector<uint8_t>& packet) {
  must(::write(tun_.get(), packet.data(), packet.size()), "writing to the TUN device");
}

void TunPeers::send_syn(Peer& peer, const Options& options) {
  Segment segment = segment_of(peer, tcp_flag::syn, peer.isn, 0);
  segment.options = options;
  write(to_packet(segment));
}

void TunPeers::send_odd_syn(Peer& peer, uint8_t more_flags) {
  write(to_packet(segment_of(peer, tcp_flag::syn | more_flags, peer.isn, 0)));
}

void TunPeers::send_corrupt_syn(Peer& peer) {
  Segment segment = segment_of(peer, tcp_flag::syn, peer.isn, 0);
  segment.payload = 100;
  std::vector<uint8_t> packet = to_packet(segment);
  packet.back() ^= 0xff;
  write(packet);
}

void TunPeers::send_syn_with_data(Peer& peer) {
  Segment segment = segment_of(peer, tcp_flag::syn, peer.isn, 0);
  segment.payload = 1;
  write(to_packet(segment));
}

void TunPeers::send_ack(Peer& peer, const Options& options) {
  drain(); // a SYN-ACK that came twice before this is no answer to it: Peer::Resend
  ++peer.acks_sent;
  Segment segment = segment_of(peer, tcp_flag::ack, peer.isn + 1, peer.server_isn + 1);
  segment.options = options;
  write(to_packet(segment));
}

void TunPeers::send_ack_of(Peer& peer, uint32_t wrong_server_isn) {
  write(to_packet(segment_of(peer, tcp_flag::ack, peer.isn + 1, wrong_server_isn + 1)));
}

void TunPeers::send_data(Peer& peer) {
  drain();
  ++peer.acks_sent;
  Segment segment =
      segment_of(peer, tcp_flag::ack | tcp_flag::psh, peer.isn + 1, peer.server_isn + 1);
  segment.payload = 1;
  write(to_packet(segment));
}

void TunPeers::send_reset(Peer& peer) {
  write(to_packet(
      segment_of(peer, tcp_flag::rst | tcp_flag::ack, peer.isn + 1, peer.server_isn + 1)));
}

void TunPeers::send_host_unreachable(Peer& peer) {
  const Segment mine = segment_of(peer, tcp_flag::syn, peer.isn, 0);
  Segment syn_ack;
  syn_ack.source = mine.destination;
  syn_ack.destination = mine.source;
  syn_ack.source_port = mine.destination_port;
  syn_ack.destination_port = mine.source_port;
  syn_ack.sequence = peer.server_isn;
  write(host_unreachable(syn_ack));
}

void TunPeers::answer_fin_with(Peer& peer, uint8_t flags) {
  wait_for(cat("a FIN to port ", peer.port), [&] {
    drain();
    return peer.fins > 0;
  });
  write(to_packet(segment_of(peer, flags, peer.isn + 1, peer.server_isn + 2)));
}

void TunPeers::answer_fin(Peer& peer) { answer_fin_with(peer, tcp_flag::fin | tcp_flag::ack); }

void TunPeers::acknowledge_fin(Peer& peer) { answer_fin_with(peer, tcp_flag::ack); }

void TunPeers::take(const Segment& segment) {
  const auto found = peers_.find(segment.destination_port);
  if (found == peers_.end() || found->second.server_port != segment.source_port) {
    return;
  }
  Peer& peer = found->second;
  if (segment.has(tcp_flag::rst)) {
    ++peer.resets;
  } else if (segment.has(tcp_flag::fin)) {
    ++peer.fins;
  } else if (segment.has(tcp_flag::syn | tcp_flag::ack)) {
    peer.server_isn = segment.sequence;
    if (++peer.syn_acks > 1) {
      peer.resends.push_back({peer.acks_sent > 0});
    }
  }
}

void TunPeers::drain() {
  std::array<uint8_t, 4096> buffer;
  for (;;) {
    const ssize_t size = ::read(tun_.get(), buffer.data(), buffer.size());
    if (size < 0) {
      if (errno == EAGAIN) {
        return;
      }
      must(size, "reading from the TUN device");
    }
    if (const auto segment = from_packet(std::span(buffer.data(), static_cast<size_t>(size)))) {
      take(*segment);
    }
  }
}

void TunPeers::await_syn_ack(Peer& peer) {
  wait_for(cat("a SYN-ACK to port ", peer.port), [&] {
    drain();
    return peer.syn_acks > 0;
  });
}

void TunPeers::await_reset(Peer& peer) {
  wait_for(cat("a RST to port ", peer.port), [&] {
    drain();
    return peer.resets > 0;
  });
}

} // namespace acceptwatch::scenarios
