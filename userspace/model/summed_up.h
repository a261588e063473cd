// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/control.h"
#include "model/totals.h"

#include <functional>
#include <map>
#include <tuple>

namespace acceptwatch {

/// Occurrences that were counted without a record of their own, because there were too
/// many of their kind (--rate). They are told as one record that looks like the last one
/// of the kind that had its own: an example, with its client and its depths.
class SummedUp {
public:
  /// A record of its own, perhaps the next example. Of more kinds than the kernel programs
  /// can count none is kept.
  void note(const aw_event& record);

  /// Those that were summed up since the last call, by kind. The record's time is not set.
  void take(std::span<const Counter> counters,
            const std::function<void(const aw_event& example, uint64_t count)>& tell);

  /// Kinds of listeners that were over and are unknown now are not counted by themselves any more
  /// (KernelControl::reclaim_counters()), and their examples are not needed.
  void forget(const UseOf& use_of);

  /// As many as aw_counters has room for.
  static constexpr size_t max_kinds = 8192;

private:
  using Kind = std::tuple<uint64_t, uint32_t, uint8_t, uint8_t, uint8_t, uint8_t>;
  struct State {
    aw_event example{};
    uint64_t told = 0; ///< of Counter::suppressed
    bool over = false; ///< its listener
  };
  [[nodiscard]] static Kind kind_of(const aw_counter_key& key);
  [[nodiscard]] State& state_of(const aw_counter_key& key);

  std::map<Kind, State> kinds_;
};

} // namespace acceptwatch
