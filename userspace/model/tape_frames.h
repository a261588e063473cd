// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace acceptwatch {

// Inside model/tape*.cpp only.

inline constexpr std::string_view tape_magic = "acceptwatch tape\n";
/// Grows whenever a tape of before cannot be played any more.
inline constexpr uint64_t tape_version = 5;

/// What a piece of a tape is. The numbers stay what they are.
enum class Frame : uint8_t {
  // What was given to the Monitor.
  begin = 1,
  event = 2,
  process = 3,
  tick = 4,
  stop = 5,
  finish = 6,
  audit = 7,

  // Answers of the host.
  name = 32,
  start_ns = 33,
  cgroup = 34,
  find_socket = 35,
  descriptors = 36,
  may_exceed_file_max = 37,
  owner_state = 38,
  cookies = 39,
  host_files = 40,
  net_counters = 41,
  mounted_namespaces = 42,
  holder = 43, ///< one of those that a look shows; `look` ends it
  look = 44,
  counters = 45,
  has_summed_up = 46,
  losses = 47,
  waits = 48,
  arrivals = 49,
  chain = 50,
  conntrack = 51,
  translations = 52,

  // Answers of the kernel control.
  end_pressure = 64,
  count_arrivals = 65,
};

} // namespace acceptwatch
