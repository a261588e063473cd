// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace acceptwatch {

/// Counters by name, "TcpExt:ListenDrops".
using NetCounters = std::map<std::string, uint64_t, std::less<>>;

/// Parses /proc/net/netstat or /proc/net/snmp: pairs of lines, names then values.
[[nodiscard]] NetCounters parse_net_counters(std::string_view text);

/// 0 where this kernel has no such counter.
[[nodiscard]] uint64_t counter_of(const NetCounters& counters, std::string_view name);

} // namespace acceptwatch
