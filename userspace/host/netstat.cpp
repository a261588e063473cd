// SPDX-License-Identifier: Apache-2.0
#include "host/netstat.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

uint64_t hexadecimal(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

} // namespace

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

std::optional<uint64_t> counter_of(const NetCounters& counters, std::string_view name) {
  const auto found = counters.find(name);
  return found == counters.end() ? std::nullopt : std::optional{found->second};
}

NetCounters parse_cpu_table(std::string_view group, std::string_view text) {
  NetCounters counters;
  const auto lines = split(text, '\n');
  const auto names = lines.empty() ? std::vector<std::string_view>{} : split(lines[0], ' ');
  for (size_t row = 1; row < lines.size(); ++row) {
    const auto values = split(lines[row], ' ');
    for (size_t i = 0; i < std::min(names.size(), values.size()); ++i)
      counters[fmt::format("{}:{}", group, names[i])] += hexadecimal(values[i]);
  }
  return counters;
}

NetCounters parse_softnet(std::string_view text) {
  enum Column : size_t { dropped = 1 }; // softnet_seq_show()
  NetCounters counters;
  for (const auto line : split(text, '\n')) {
    const auto values = split(line, ' ');
    if (values.size() > dropped)
      counters["softnet:dropped"] += hexadecimal(values[dropped]);
  }
  return counters;
}

} // namespace acceptwatch
