// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/blind_spot.h"
#include "events/counters.h"

#include <map>
#include <span>

namespace acceptwatch {

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
