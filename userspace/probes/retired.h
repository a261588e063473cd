// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"
#include "kernel/control.h"

#include <map>
#include <vector>

namespace acceptwatch {

/// Counters of listeners that are closed: taken out of the programs' map, which has room for so
/// many, and kept here. Those of listeners that the model has forgotten become one of each kind.
class RetiredCounters {
public:
  void add(const Counter& counter);
  void forget(const UseOf& use_of);
  /// A late occurrence may have made a counter anew: the two are one.
  void add_to(std::vector<Counter>& counters) const;

private:
  struct Before {
    bool operator()(const aw_counter_key& a, const aw_counter_key& b) const;
  };
  using Counters = std::map<aw_counter_key, Counter, Before>;
  static void add(const Counter& counter, Counters& to);

  Counters counters_;
};

} // namespace acceptwatch
