// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace acceptwatch::scenarios {

// An address of either family; IPv4 uses the first four bytes.
struct Address {
  int family = AF_INET;
  std::array<uint8_t, 16> bytes{};

  static Address parse(const std::string& text);
  std::string text() const;
  size_t size() const { return family == AF_INET ? 4 : 16; }
  bool operator==(const Address&) const = default;
};

namespace tcp_flag {
inline constexpr uint8_t fin = 0x01;
inline constexpr uint8_t syn = 0x02;
inline constexpr uint8_t rst = 0x04;
inline constexpr uint8_t psh = 0x08;
inline constexpr uint8_t ack = 0x10;
} // namespace tcp_flag

// What these tests need to know of a TCP segment.
struct Segment {
  Address source;
  Address destination;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = 0;
  std::vector<uint8_t> options = {}; // whole words, besides a SYN's MSS; not read back
  size_t payload = 0;                // this many bytes of 'x'

  bool has(uint8_t wanted) const { return (flags & wanted) == wanted; }
};

// An IP packet with correct checksums: a TUN device vouches for nothing, so the kernel verifies
// them.
std::vector<uint8_t> to_packet(const Segment& segment);

// The ICMP error "host unreachable" that a router would send for this segment (IPv4).
std::vector<uint8_t> host_unreachable(const Segment& answered);

// Nothing for a packet that is not TCP (router solicitations and the like leave through a TUN
// device too).
std::optional<Segment> from_packet(std::span<const uint8_t> packet);

} // namespace acceptwatch::scenarios
