// SPDX-License-Identifier: Apache-2.0
#include "probes/retired.h"

#include <tuple>

namespace acceptwatch {

bool RetiredCounters::Before::operator()(const aw_counter_key& a, const aw_counter_key& b) const {
  const auto fields = [](const aw_counter_key& key) {
    return std::tie(key.listener, key.netns, key.action, key.reason, key.stage, key.extra_mib);
  };
  return fields(a) < fields(b);
}

void RetiredCounters::add(const Counter& counter, Counters& to) {
  Counter& sum = to.try_emplace(counter.key, Counter{counter.key}).first->second;
  sum.count += counter.count;
  sum.suppressed += counter.suppressed;
}

/// That a listener came and went, no total has.
void RetiredCounters::add(const Counter& counter) {
  Counter added = counter;
  if (counter.key.action == AW_LISTENER_OPENED || counter.key.action == AW_LISTENER_CLOSED)
    added.key.listener = AW_OTHER_LISTENERS;
  add(added, counters_);
}

/// What was held back of them has been told: it must not be told again of the others.
void RetiredCounters::forget(const UseOf& use_of) {
  for (auto at = counters_.begin(); at != counters_.end();) {
    Counter counter = at->second;
    if (counter.key.listener == AW_OTHER_LISTENERS ||
        use_of(counter.key.listener) != ListenerUse::unknown) {
      ++at;
      continue;
    }
    at = counters_.erase(at);
    counter.key.listener = AW_OTHER_LISTENERS; // the greatest: it is come to in this very loop
    counter.suppressed = 0;
    add(counter);
  }
}

void RetiredCounters::add_to(std::vector<Counter>& counters) const {
  if (counters_.empty())
    return;
  Counters all = counters_;
  for (const Counter& counter : counters)
    add(counter, all);
  counters.clear();
  for (const auto& [key, counter] : all)
    counters.push_back(counter);
}

} // namespace acceptwatch
