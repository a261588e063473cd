// SPDX-License-Identifier: Apache-2.0
#include "events/event.h"

#include <algorithm>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

using AddressText = ShortText<INET6_ADDRSTRLEN>;
using Groups = std::array<uint16_t, 8>;

void append_ipv4(AddressText& text, const uint8_t* bytes) {
  for (size_t i = 0; i < 4; ++i) {
    if (i)
      text.append('.');
    text.append_number(bytes[i]);
  }
}

/// The groups that "::" stands for: the first of the longest runs of zeros. One alone
/// is written.
struct Run {
  size_t begin = Groups{}.size();
  size_t length = 0;
  [[nodiscard]] size_t end() const { return begin + length; }
};

Run longest_run(const Groups& groups) {
  Run best;
  for (size_t begin = 0; begin < groups.size(); ++begin) {
    size_t end = begin;
    while (end < groups.size() && groups[end] == 0)
      ++end;
    if (end - begin > std::max<size_t>(best.length, 1))
      best = {begin, end - begin};
    begin = std::max(begin, end);
  }
  return best;
}

/// ::10.0.0.5 and ::ffff:10.0.0.5: IPv4 in IPv6, as inet_ntop(3) shows it.
bool ends_in_ipv4(const Groups& groups, const Run& run) {
  return run.begin == 0 && (run.length == 6 || (run.length == 5 && groups[5] == 0xFFFF));
}

void append_ipv6(AddressText& text, const Address& address) {
  Groups groups{};
  for (size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<uint16_t>(address.bytes[2 * i] << 8 | address.bytes[2 * i + 1]);
  const Run run = longest_run(groups);
  const bool with_ipv4 = ends_in_ipv4(groups, run);
  const size_t count = with_ipv4 ? 6 : groups.size();
  for (size_t i = 0; i < count; ++i) {
    if (i == run.begin)
      text.append(':');
    if (i >= run.begin && i < run.end())
      continue;
    if (i)
      text.append(':');
    text.append_number(groups[i], 16);
  }
  if (with_ipv4 || (run.length && run.end() == groups.size()))
    text.append(':');
  if (with_ipv4)
    append_ipv4(text, &address.bytes[12]);
}

} // namespace

std::string_view tcp_state_name(uint8_t state) {
  // include/net/tcp_states.h
  constexpr std::array<std::string_view, 13> names{
      "",       "established", "syn_sent", "syn_recv", "fin_wait_1", "fin_wait_2", "time_wait",
      "unconn", "close_wait",  "last_ack", "listen",   "closing",    "syn_recv"};
  return state < names.size() ? names[state] : std::string_view{};
}

AddressText to_string(const Address& address) {
  AddressText text;
  if (address.family == AF_INET)
    append_ipv4(text, address.bytes.data());
  else if (address.family == AF_INET6)
    append_ipv6(text, address);
  return text;
}

} // namespace acceptwatch
