// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// Nanoseconds since 1970-01-01 UTC.
using Timestamp = int64_t;

struct Address {
  uint16_t family = 0;                         ///< AF_INET or AF_INET6
  std::array<uint8_t, AW_ADDRESS_LEN> bytes{}; ///< IPv4 in the first four
  bool operator==(const Address&) const = default;
};

[[nodiscard]] std::string to_string(const Address& address);

/// A queue at one instant. The accept queue is full above its limit.
struct Queue {
  uint32_t depth = 0;
  uint32_t limit = 0;
  bool operator==(const Queue&) const = default;
};

/// A process that holds a listener.
struct Owner {
  uint32_t pid = 0;
  std::string name;                          ///< any bytes: the process chose them
  std::optional<std::string> cgroup;         ///< path below the cgroup2 mount
  std::optional<std::string> container = {}; ///< id, if the cgroup's path names one
};

/// Who listened where nobody does any more: the gap of a restart.
struct FormerListener {
  Owner owner;
  double closed_seconds_ago = 0; ///< at the event, at least 0
};

/// Open descriptors of a process and its limit, RLIMIT_NOFILE.
struct Descriptors {
  uint64_t open = 0;
  uint64_t limit = 0;
};

/// One event as a value: what happened, wherever it came from. What is not known
/// is absent.
struct Event {
  Timestamp time = 0;
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
  aw_source source = AW_SOURCE_POLL;
  uint64_t count = 1;    ///< kernel occurrences that this stands for, at least 1
  uint64_t listener = 0; ///< aw_listener.id; 0: none
  std::optional<Address> server_address;
  std::optional<uint16_t> server_port;
  std::optional<Address> client_address;
  std::optional<uint16_t> client_port;
  uint16_t family = 0; ///< of the packet: AF_INET, AF_INET6; 0: not known
  std::optional<Queue> accept_queue;
  std::optional<Queue> syn_queue;
  std::optional<uint32_t> netns;
  std::optional<uint64_t> socket; ///< socket cookie
  std::optional<unsigned> retry;
  std::optional<std::string> kernel_reason;
  aw_hook netfilter_hook = AW_HOOK_UNKNOWN;
  std::optional<Owner> owner;
  std::optional<FormerListener> former;   ///< of a reset_sent for no_listener
  std::optional<Descriptors> descriptors; ///< of accept_stalled
  size_t owners = 0;                      ///< how many processes hold the listener; 0: not known
};

/// The first record: what is watched, and how.
struct Start {
  Timestamp time = 0;
  std::string version;
  std::string kernel;
  aw_source source = AW_SOURCE_POLL;
  std::vector<std::string> probes;  ///< what was attached
  std::vector<std::string> filters; ///< as they were given, "port=80"
};

/// Records that could not be delivered: they are counted all the same.
struct Lost {
  Timestamp time = 0;
  std::string where;  ///< ring_buffer, counter_map, program
  uint64_t count = 0; ///< since the last such record
};

/// One line of the summary: exact, whatever became of the records.
struct Total {
  uint64_t listener = 0;
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
  uint64_t count = 0;
  std::optional<uint32_t> netns;
  std::optional<Address> server_address; ///< the listener's own
  std::optional<uint16_t> server_port;
  std::optional<Owner> owner;
};

/// A counter of the kernel's, beside what was reported of it.
struct AuditedCounter {
  std::string_view name; ///< the kernel's own
  uint64_t kernel = 0;
  uint64_t explained = 0;
  std::string why; ///< a known cause of the difference; empty: none, or no difference
};

[[nodiscard]] inline bool differs(const AuditedCounter& counter) {
  return counter.kernel != counter.explained;
}

struct AuditedNamespace {
  uint32_t netns = 0;
  bool gone = false; ///< compared when it could be read for the last time
  std::vector<AuditedCounter> counters;
};

/// The kernel's counters against what was reported. Counters that did not move and
/// explain nothing are left out, and so are namespaces without any other.
struct Audit {
  std::vector<std::string> incomparable;    ///< why there is no comparison, "port=80"
  std::vector<AuditedCounter> sums;         ///< of the namespaces that are not gone
  std::vector<AuditedNamespace> namespaces; ///< those that differ first
  size_t unread = 0; ///< namespaces whose records have no counters to compare them with
};

/// The last record.
struct Summary {
  Timestamp time = 0;
  double seconds = 0;   ///< how long was watched
  uint64_t records = 0; ///< event records written
  uint64_t lost = 0;    ///< occurrences that no record stands for
  std::vector<Total> totals;
  std::optional<Audit> audit;
};

} // namespace acceptwatch
