// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/control.h"

#include <map>
#include <set>

namespace acceptwatch::unit {

/// Does as it is told, and remembers what it was told.
class FakeControl final : public KernelControl {
public:
  bool can_count = true;
  std::map<uint64_t, aw_peaks> peaks;
  std::set<uint64_t> muted;
  uint64_t muted_until_ns = 0; ///< the last of them
  std::set<uint16_t> counted;  ///< ports
  bool watches_chains = false;

  std::optional<aw_peaks> end_pressure(uint64_t listener) override {
    const auto found = peaks.find(listener);
    return found == peaks.end() ? std::nullopt : std::optional{found->second};
  }
  void mute(uint64_t listener, uint64_t until_ns) override {
    muted.insert(listener);
    muted_until_ns = until_ns;
  }
  void unmute(uint64_t listener) override { muted.erase(listener); }
  bool count_arrivals(const aw_place& place) override {
    return can_count && counted.insert(place.port).second;
  }
  void stop_counting(const aw_place& place) override { counted.erase(place.port); }
  void watch_chains(bool watch) override { watches_chains = watch; }
  UseOf use_of; ///< as it was given last
  void reclaim_counters(const UseOf& use) override { use_of = use; }
};

} // namespace acceptwatch::unit
