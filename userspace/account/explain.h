// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "account/totals.h"
#include "events/blind_spot.h"

#include <array>
#include <map>
#include <span>

namespace acceptwatch {

/// Counters of the kernel's, by network namespace, that records account for.
enum class KernelCounter : size_t {
  listen_overflows,
  listen_drops,
  req_queue_full_drop,
  req_queue_full_do_cookies,
  syncookies_sent,
  syncookies_recv,
  syncookies_failed,
  syn_retrans,
  embryonic_rsts,
  defer_accept_drop,
  fast_open_listen_overflow,
  migrate_req_success,
  migrate_req_failure,
  out_rsts,
};
constexpr size_t nr_kernel_counters = 14;
using CounterValues = std::array<uint64_t, nr_kernel_counters>;

/// The group in /proc/net/netstat or /proc/net/snmp, and the name.
struct KernelCounterName {
  std::string_view group;
  std::string_view name;
};
[[nodiscard]] KernelCounterName name_of(KernelCounter counter);

/// Whether the kernel counts there what a record of this action, reason and stage
/// reports. Who listens, and where, does not matter.
[[nodiscard]] bool is_counted_by(KernelCounter counter, const aw_counter_key& key);

/// How far each counter must have moved, by network namespace, for what was seen.
/// What was seen in no known namespace explains nothing.
[[nodiscard]] std::map<uint32_t, CounterValues> explain(std::span<const Counter> counters);

/// What may be missing from the numbers that explain.
struct Doubts {
  std::span<const BlindSpot> blind;
  uint64_t uncounted = 0; ///< occurrences that found no room in the counter map
  uint64_t skipped = 0;   ///< programs that the kernel skipped
};

/// Why the kernel may have counted more than was explained, in words. Empty where
/// no cause is known.
[[nodiscard]] std::string why_more(KernelCounter counter, const Doubts& doubts);

} // namespace acceptwatch
