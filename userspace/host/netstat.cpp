// SPDX-License-Identifier: Apache-2.0
#include "host/netstat.h"

#include "base/text.h"

#include <fmt/format.h>

namespace acceptwatch {

NetCounters parse_net_counters(std::string_view text) {
  NetCounters counters;
  const auto lines = split(text, '\n');
  for (size_t i = 0; i + 1 < lines.size(); i += 2) {
    const auto names = split(lines[i], ' ');
    const auto values = split(lines[i + 1], ' ');
    // The first word is the group, "TcpExt:", on both lines.
    if (names.empty() || names.size() != values.size() || names[0] != values[0])
      continue;
    for (size_t field = 1; field < names.size(); ++field) {
      if (const auto value = parse_number<uint64_t>(values[field]))
        counters.emplace(fmt::format("{}{}", names[0], names[field]), *value);
    }
  }
  return counters;
}

uint64_t counter_of(const NetCounters& counters, std::string_view name) {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

} // namespace acceptwatch
