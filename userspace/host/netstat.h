// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace acceptwatch {

/// Counters by name, "TcpExt:ListenDrops".
using NetCounters = std::map<std::string, uint64_t, std::less<>>;

/// Parses /proc/net/netstat or /proc/net/snmp: pairs of lines, names then values.
[[nodiscard]] NetCounters parse_net_counters(std::string_view text);

/// Absent where this kernel has no such counter.
[[nodiscard]] std::optional<uint64_t> counter_of(const NetCounters& counters,
                                                 std::string_view name);

/// Adds up the rows of a table of /proc/net/stat, one for each CPU: a line of names, then
/// hexadecimal numbers. "nf_conntrack:drop"
[[nodiscard]] NetCounters parse_cpu_table(std::string_view group, std::string_view text);

/// "softnet:dropped" of /proc/net/softnet_stat: packets that found a CPU's backlog full.
[[nodiscard]] NetCounters parse_softnet(std::string_view text);

} // namespace acceptwatch
