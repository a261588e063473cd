// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "listeners/table.h"

#include <span>

namespace acceptwatch {

/// One number of the kernel programs' counter map, summed over the CPUs.
struct Counter {
  aw_counter_key key{};
  uint64_t count = 0;
  uint64_t folded = 0; ///< of count, those that had no record of their own
};

/// The totals with the listeners' names, largest first.
[[nodiscard]] std::vector<Total> name_totals(std::span<const Counter> counters,
                                             const ListenerTable& table);

} // namespace acceptwatch
