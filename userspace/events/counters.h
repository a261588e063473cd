// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace acceptwatch {

/// One number of the kernel programs' counter map, summed over the CPUs.
struct Counter {
  aw_counter_key key{};
  uint64_t count = 0;
  uint64_t suppressed = 0; ///< of count, those that had no record of their own
};

/// Occurrences that no record stands for.
struct Losses {
  uint64_t ring_buffer = 0; ///< no room for the record
  uint64_t counter_map = 0; ///< no room for a counter of its own
  uint64_t programs = 0;    ///< the kernel skipped a program (recursion)
  /// It skipped one that follows processes or listeners: no event, but the table
  /// may be out of date.
  uint64_t followers = 0;
  uint64_t lookups = 0; ///< not made at the host, since they would have taken too long
};

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

/// Counters of the kernel's that no record accounts for, and that tell of handshakes, or of young
/// connections, which came to harm: docs/counters.md. The first ones are of a network namespace,
/// the last three of the whole host.
enum class EvidenceCounter : size_t {
  ts_echo_rejected,
  paws_established,
  paws_time_wait,
  syn_challenge,
  time_wait_overflow,
  abort_on_memory,
  reverse_path_filter,
  md5_not_found,
  md5_unexpected,
  md5_failure,
  ao_required,
  ao_bad,
  ao_key_not_found,
  min_ttl_drop,
  checksum_errors,
  out_no_routes,
  in_no_routes,
  in_address_errors,
  unsent_retransmits, ///< TCPTimeouts, of which RetransSegs were sent: see growth_of()
  retransmitted,
  conntrack_drop,
  conntrack_early_drop,
  softnet_drop,
  neighbour_unresolved,
  neighbour_table_full,
};
constexpr size_t nr_evidence_counters = 25;
/// What the running kernel does not have is absent.
using EvidenceValues = std::array<std::optional<uint64_t>, nr_evidence_counters>;
/// The group, as that of a file or of a table in /proc/net/stat, and the kernel's own name.
[[nodiscard]] KernelCounterName name_of(EvidenceCounter counter);
/// It is the host's, and the same in every network namespace.
[[nodiscard]] inline bool is_of_host(EvidenceCounter counter) {
  return counter >= EvidenceCounter::softnet_drop;
}

/// By how much each has grown; absent where one of the two is not known, or fell. A timer that
/// expires sends something again; where more expired than was sent, it could not be sent.
[[nodiscard]] EvidenceValues growth_of(const EvidenceValues& before, const EvidenceValues& now);

/// The kernel's counters of one network namespace at one instant.
struct NetReading {
  CounterValues values{};
  EvidenceValues evidence{};
  std::array<uint64_t, 2> witnesses{}; ///< Ip: InReceives, OutRequests; they only grow, too
  /// The inodes of its net/netstat and net/snmp: each namespace has files of its own
  /// (proc_net_ns_init()).
  std::array<uint64_t, 2> files{};

  /// `later` can be the same namespace at a later time.
  [[nodiscard]] bool is_before(const NetReading& later) const;
};

/// By the inode of the namespace.
using NetReadings = std::map<uint32_t, NetReading>;

} // namespace acceptwatch
