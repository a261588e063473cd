// SPDX-License-Identifier: Apache-2.0
#include "core/packet.h"

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>

#include <algorithm>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

constexpr size_t ipv4_header = 20;
constexpr size_t ipv6_header = 40;
constexpr size_t tcp_header = 20;
constexpr size_t mss_option = 4;

void put16(std::vector<uint8_t>& out, uint16_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void put32(std::vector<uint8_t>& out, uint32_t value) {
  put16(out, static_cast<uint16_t>(value >> 16));
  put16(out, static_cast<uint16_t>(value));
}

void put_address(std::vector<uint8_t>& out, const Address& address) {
  out.insert(out.end(), address.bytes.begin(),
             address.bytes.begin() + static_cast<long>(address.size()));
}

uint16_t get16(std::span<const uint8_t> in, size_t at) {
  return static_cast<uint16_t>(in[at] << 8 | in[at + 1]);
}

uint32_t get32(std::span<const uint8_t> in, size_t at) {
  return static_cast<uint32_t>(get16(in, at)) << 16 | get16(in, at + 2);
}

// RFC 1071.
uint16_t internet_checksum(std::span<const uint8_t> bytes) {
  uint32_t sum = 0;
  for (size_t at = 0; at + 1 < bytes.size(); at += 2) {
    sum += get16(bytes, at);
  }
  if (bytes.size() % 2 != 0) {
    sum += static_cast<uint32_t>(bytes.back()) << 8;
  }
  while (sum >> 16 != 0) {
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

void patch16(std::vector<uint8_t>& out, size_t at, uint16_t value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}

std::vector<uint8_t> tcp_part(const Segment& segment) {
  const bool with_mss = segment.has(tcp_flag::syn);
  const size_t header = tcp_header + (with_mss ? mss_option : 0) + segment.options.size();
  std::vector<uint8_t> out;
  put16(out, segment.source_port);
  put16(out, segment.destination_port);
  put32(out, segment.sequence);
  put32(out, segment.acknowledgement);
  out.push_back(static_cast<uint8_t>(header / 4 << 4));
  out.push_back(segment.flags);
  put16(out, 65535); // window
  put16(out, 0);     // checksum, patched below
  put16(out, 0);     // urgent pointer
  if (with_mss) {
    out.insert(out.end(), {2, 4});
    put16(out, 1400);
  }
  out.insert(out.end(), segment.options.begin(), segment.options.end());
  out.insert(out.end(), segment.payload, 'x');

  std::vector<uint8_t> pseudo;
  put_address(pseudo, segment.source);
  put_address(pseudo, segment.destination);
  put32(pseudo, static_cast<uint32_t>(out.size()));
  put32(pseudo, IPPROTO_TCP);
  pseudo.insert(pseudo.end(), out.begin(), out.end());
  patch16(out, 16, internet_checksum(pseudo));
  return out;
}

std::vector<uint8_t> ip_part(const Segment& segment, size_t tcp_size) {
  std::vector<uint8_t> out;
  if (segment.source.family == AF_INET) {
    out.insert(out.end(), {0x45, 0});
    put16(out, static_cast<uint16_t>(ipv4_header + tcp_size));
    put32(out, 0x00004000); // no id, do not fragment
    out.insert(out.end(), {64, IPPROTO_TCP, 0, 0});
    put_address(out, segment.source);
    put_address(out, segment.destination);
    patch16(out, 10, internet_checksum(out));
  } else {
    put32(out, 0x60000000);
    put16(out, static_cast<uint16_t>(tcp_size));
    out.insert(out.end(), {IPPROTO_TCP, 64});
    put_address(out, segment.source);
    put_address(out, segment.destination);
  }
  return out;
}

Address address_at(std::span<const uint8_t> packet, size_t at, int family) {
  Address result;
  result.family = family;
  std::copy_n(packet.begin() + static_cast<long>(at), result.size(), result.bytes.begin());
  return result;
}

} // namespace

Address Address::parse(const std::string& text) {
  Address result;
  result.family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(result.family, text.c_str(), result.bytes.data()) != 1) {
    throw Failure("not an address: " + text);
  }
  return result;
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  ::inet_ntop(family, bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::vector<uint8_t> to_packet(const Segment& segment) {
  const std::vector<uint8_t> tcp = tcp_part(segment);
  std::vector<uint8_t> packet = ip_part(segment, tcp.size());
  packet.insert(packet.end(), tcp.begin(), tcp.end());
  return packet;
}

std::vector<uint8_t> host_unreachable(const Segment& answered) {
  constexpr size_t quoted = ipv4_header + 8; // RFC 792
  const std::vector<uint8_t> original = to_packet(answered);
  std::vector<uint8_t> icmp{ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, 0, 0, 0, 0, 0};
  icmp.insert(icmp.end(), original.begin(), original.begin() + quoted);
  patch16(icmp, 2, internet_checksum(icmp));

  // From the far end to this host, as the segment would come back.
  Segment back;
  back.source = answered.destination;
  back.destination = answered.source;
  std::vector<uint8_t> packet = ip_part(back, icmp.size());
  packet[9] = IPPROTO_ICMP;
  patch16(packet, 10, 0);
  patch16(packet, 10, internet_checksum(packet));
  packet.insert(packet.end(), icmp.begin(), icmp.end());
  return packet;
}

std::optional<Segment> from_packet(std::span<const uint8_t> packet) {
  if (packet.empty()) {
    return std::nullopt;
  }
  const int family = packet[0] >> 4 == 6 ? AF_INET6 : AF_INET;
  const size_t ip_size =
      family == AF_INET6 ? ipv6_header : static_cast<size_t>(packet[0] & 0x0f) * 4;
  if (packet.size() < ip_size + tcp_header || packet[family == AF_INET6 ? 6 : 9] != IPPROTO_TCP) {
    return std::nullopt;
  }
  Segment result;
  result.source = address_at(packet, family == AF_INET6 ? 8 : 12, family);
  result.destination = address_at(packet, family == AF_INET6 ? 24 : 16, family);
  result.source_port = get16(packet, ip_size);
  result.destination_port = get16(packet, ip_size + 2);
  result.sequence = get32(packet, ip_size + 4);
  result.acknowledgement = get32(packet, ip_size + 8);
  result.flags = packet[ip_size + 13];
  result.payload = packet.size() - ip_size - static_cast<size_t>(packet[ip_size + 12] >> 4) * 4;
  return result;
}

} // namespace acceptwatch::scenarios
