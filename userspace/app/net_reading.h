// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "account/explain.h"
#include "listeners/process.h"

#include <array>
#include <map>
#include <optional>
#include <vector>

namespace acceptwatch {

/// The kernel's counters of one network namespace at one instant.
struct NetReading {
  CounterValues values{};
  std::array<uint64_t, 2> witnesses{}; ///< Ip: InReceives, OutRequests; they only grow, too
  /// The inodes of its net/netstat and net/snmp: each namespace has files of its own
  /// (proc_net_ns_init()).
  std::array<uint64_t, 2> files{};

  /// `later` can be the same namespace at a later time.
  [[nodiscard]] bool is_before(const NetReading& later) const;
};

/// By the inode of the namespace.
using NetReadings = std::map<uint32_t, NetReading>;

/// The counters of every namespace that has a process, or of `only` one.
///
/// /proc/PID/net is the namespace in which the process is at that instant, and a
/// process may move on between two looks, and back. So the files of a process are
/// believed if they are those of `known`, or else if two processes agree.
[[nodiscard]] NetReadings
read_net_counters(const ProcFs& procfs, std::optional<uint32_t> only,
                  const std::function<const NetReading*(uint32_t netns)>& known);

} // namespace acceptwatch
