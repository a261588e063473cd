// SPDX-License-Identifier: Apache-2.0
#include "model/tape_names.h"

#include "events/decode.h"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

bool is_loopback_or_any(uint16_t family, const __u8 (&bytes)[AW_ADDRESS_LEN]) {
  const size_t size = family == AF_INET ? 4 : AW_ADDRESS_LEN;
  const auto is_zero = [](__u8 byte) { return byte == 0; };
  if (std::all_of(bytes, bytes + size, is_zero))
    return true;
  if (family == AF_INET)
    return bytes[0] == 127;
  return std::all_of(bytes, bytes + size - 1, is_zero) && bytes[size - 1] == 1;
}

} // namespace

size_t Pseudonyms::number_of(std::map<std::string, size_t>& known, const std::string& text) {
  return known.try_emplace(text, known.size() + 1).first->second;
}

void Pseudonyms::replace_name(std::string& name) {
  if (!name.empty())
    name = "name-" + std::to_string(number_of(names_, name));
}

void Pseudonyms::replace_cgroup(std::string& path) {
  if (path.size() > 1)
    path = "/cgroup-" + std::to_string(number_of(cgroups_, path));
}

void Pseudonyms::replace_comm(__u8 (&comm)[AW_COMM_LEN]) {
  std::string name = text_of(comm);
  replace_name(name);
  std::fill(std::begin(comm), std::end(comm), __u8{0});
  std::copy_n(name.begin(), std::min<size_t>(name.size(), AW_COMM_LEN - 1), std::begin(comm));
}

/// IPv4: 198.18.0.0/15 (RFC 2544); IPv6: 2001:db8::/32 (RFC 3849).
void Pseudonyms::replace_address(uint16_t family, __u8 (&bytes)[AW_ADDRESS_LEN]) {
  if ((family != AF_INET && family != AF_INET6) || is_loopback_or_any(family, bytes))
    return;
  const size_t size = family == AF_INET ? 4 : AW_ADDRESS_LEN;
  const size_t number =
      number_of(addresses_, std::string{reinterpret_cast<const char*>(bytes), size});
  std::fill(std::begin(bytes), std::end(bytes), __u8{0});
  const auto byte = [number](unsigned shift) { return static_cast<__u8>(number >> shift & 0xFF); };
  if (family == AF_INET) {
    bytes[0] = 198;
    bytes[1] = static_cast<__u8>(18 + (byte(16) & 1));
    bytes[2] = byte(8);
    bytes[3] = byte(0);
    return;
  }
  bytes[0] = 0x20;
  bytes[1] = 0x01;
  bytes[2] = 0x0d;
  bytes[3] = 0xb8;
  for (unsigned i = 0; i < 4; ++i)
    bytes[AW_ADDRESS_LEN - 1 - i] = byte(8 * i);
}

void Pseudonyms::replace(aw_event& record) {
  replace_address(record.listener.family, record.listener.address);
  replace_address(record.ends.family, record.ends.server_address);
  replace_address(record.ends.family, record.ends.client_address);
  replace_comm(record.comm);
}

void Pseudonyms::replace(aw_process& record) { replace_comm(record.comm); }

void Pseudonyms::replace(aw_holder& record) {
  replace_address(record.listener.family, record.listener.address);
  replace_comm(record.comm);
}

void Pseudonyms::replace(Chain& chain) {
  replace_name(chain.table);
  replace_name(chain.name);
}

} // namespace acceptwatch
