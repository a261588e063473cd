// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"
#include "model/table.h"

#include <map>
#include <span>

namespace acceptwatch {

struct BeforeInTotals {
  bool operator()(const aw_counter_key& a, const aw_counter_key& b) const;
};

/// Occurrences whose record names no listener, by the one that user space has found for it. The
/// kernel counts them for none, so where only some owners are wanted its number would be anybody's.
class FoundCounts {
public:
  /// `listener`: 0 where several members of a group may be meant.
  void note(const aw_event& record, uint64_t listener, uint64_t count);
  [[nodiscard]] std::vector<Counter> counters() const;

private:
  std::map<aw_counter_key, uint64_t, BeforeInTotals> counts_;
};

/// The totals with the listeners' names, largest first.
[[nodiscard]] std::vector<Total> name_totals(std::span<const Counter> counters,
                                             const ListenerTable& table);

} // namespace acceptwatch
