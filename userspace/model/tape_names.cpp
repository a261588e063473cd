// SPDX-License-Identifier: Apache-2.0
#include "model/tape_names.h"

#include "base/text.h"
#include "events/decode.h"

#include <algorithm>
#include <array>
#include <span>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

bool is_loopback_or_any(std::span<const __u8> address) {
  if (std::ranges::all_of(address, [](__u8 byte) { return byte == 0; }))
    return true;
  if (address.size() == 4)
    return address[0] == 127;
  return address.back() == 1 && std::ranges::all_of(address.first(address.size() - 1),
                                                    [](__u8 byte) { return byte == 0; });
}

/// Of an IPv4 address in an IPv6 socket, in front of its four bytes.
constexpr std::array<__u8, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

} // namespace

size_t Pseudonyms::number_of(std::map<std::string, size_t>& known, const std::string& text) {
  return known.try_emplace(text, known.size() + 1).first->second;
}

void Pseudonyms::replace_name(std::string& name) {
  if (!name.empty())
    name = "name-" + std::to_string(number_of(names_, name));
}

/// A part at a time.
void Pseudonyms::replace_cgroup(std::string& path) {
  std::string replaced;
  for (const auto part : split(path, '/')) {
    if (!replaced.empty() || part.data() != path.data())
      replaced += '/';
    if (!part.empty())
      replaced += "cgroup-" + std::to_string(number_of(cgroups_, std::string{part}));
  }
  path = std::move(replaced);
}

void Pseudonyms::replace_comm(__u8 (&comm)[AW_COMM_LEN]) {
  std::string name = text_of(comm);
  replace_name(name);
  std::fill(std::begin(comm), std::end(comm), __u8{0});
  std::copy_n(name.begin(), std::min<size_t>(name.size(), AW_COMM_LEN - 1), std::begin(comm));
}

/// 198.18.0.0/15 (RFC 2544).
void Pseudonyms::replace_ipv4(__u8* bytes) {
  if (is_loopback_or_any({bytes, 4}))
    return;
  const size_t number = number_of(addresses_, std::string{reinterpret_cast<const char*>(bytes), 4});
  bytes[0] = 198;
  bytes[1] = static_cast<__u8>(18 + (number >> 16 & 1));
  bytes[2] = static_cast<__u8>(number >> 8 & 0xFF);
  bytes[3] = static_cast<__u8>(number & 0xFF);
}

/// IPv6: 2001:db8::/32 (RFC 3849). Where the family is not known nothing of it stays.
void Pseudonyms::replace_address(uint16_t family, __u8 (&bytes)[AW_ADDRESS_LEN]) {
  if (family == AF_INET) {
    std::fill(std::begin(bytes) + 4, std::end(bytes), __u8{0});
    return replace_ipv4(bytes);
  }
  if (family == AF_INET6 && std::equal(mapped.begin(), mapped.end(), std::begin(bytes)))
    return replace_ipv4(bytes + mapped.size());
  if (family == AF_INET6 && is_loopback_or_any(bytes))
    return;
  const size_t number =
      family == AF_INET6
          ? number_of(addresses_, std::string{reinterpret_cast<const char*>(bytes), AW_ADDRESS_LEN})
          : 0;
  std::fill(std::begin(bytes), std::end(bytes), __u8{0});
  if (!number)
    return;
  constexpr std::array<__u8, 4> documentation{0x20, 0x01, 0x0d, 0xb8};
  std::copy(documentation.begin(), documentation.end(), std::begin(bytes));
  for (unsigned i = 0; i < 4; ++i)
    bytes[AW_ADDRESS_LEN - 1 - i] = static_cast<__u8>(number >> (8 * i) & 0xFF);
}

void Pseudonyms::replace(aw_event& record) {
  replace_address(record.listener.family, record.listener.address);
  replace_address(record.ends.family, record.ends.server_address);
  replace_address(record.ends.family, record.ends.client_address);
  replace_address(record.ends.family, record.nat_address);
  replace_comm(record.comm);
}

void Pseudonyms::replace(aw_process& record) { replace_comm(record.comm); }

void Pseudonyms::replace(aw_holder& record) {
  replace_address(record.listener.family, record.listener.address);
  replace_comm(record.comm);
}

void Pseudonyms::replace(Address& address) {
  __u8 bytes[AW_ADDRESS_LEN];
  std::copy(address.bytes.begin(), address.bytes.end(), std::begin(bytes));
  replace_address(address.family, bytes);
  std::copy(std::begin(bytes), std::end(bytes), address.bytes.begin());
}

void Pseudonyms::replace(ToldThread& thread) {
  replace_name(thread.name);
  if (thread.peer)
    replace(thread.peer->address);
}

void Pseudonyms::replace(Translation& translation) {
  for (auto* address : {&translation.address, &translation.own.address}) {
    if (*address)
      replace(**address);
  }
}

void Pseudonyms::replace(Chain& chain) {
  replace_name(chain.table);
  replace_name(chain.name);
}

} // namespace acceptwatch
