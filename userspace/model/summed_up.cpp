// SPDX-License-Identifier: Apache-2.0
#include "model/summed_up.h"

namespace acceptwatch {

SummedUp::Kind SummedUp::kind_of(const aw_counter_key& key) {
  return {key.listener, key.netns, key.action, key.reason, key.stage, key.extra_mib};
}

SummedUp::State& SummedUp::state_of(const aw_counter_key& key) {
  const auto [kind, is_new] = kinds_.try_emplace(kind_of(key), State{});
  if (is_new) { // until there is one that knows more
    aw_event& example = kind->second.example;
    example.header.size = sizeof(example);
    example.header.kind = AW_RECORD_EVENT;
    example.listener.id = key.listener;
    example.listener.netns = key.netns;
    example.action = key.action;
    example.reason = key.reason;
    example.stage = key.stage;
    example.extra_mib = key.extra_mib;
  }
  return kind->second;
}

void SummedUp::note(const aw_event& record) {
  if (record.action == AW_LISTENER_OPENED || record.action == AW_LISTENER_CLOSED)
    return; // always sent
  const aw_counter_key key{.listener = record.listener.id,
                           .netns = record.listener.netns,
                           .action = record.action,
                           .reason = record.reason,
                           .stage = record.stage,
                           .extra_mib = record.extra_mib};
  if (kinds_.size() < max_kinds || kinds_.contains(kind_of(key)))
    state_of(key).example = record;
}

void SummedUp::forget(const UseOf& use_of) {
  for (auto at = kinds_.begin(); at != kinds_.end();) {
    const ListenerUse use = use_of(std::get<0>(at->first));
    if (at->second.over && use == ListenerUse::unknown) {
      at = kinds_.erase(at);
      continue;
    }
    at->second.over = use == ListenerUse::over;
    ++at;
  }
}

void SummedUp::take(std::span<const Counter> counters,
                    const std::function<void(const aw_event& example, uint64_t count)>& tell) {
  for (const Counter& counter : counters) {
    if (counter.suppressed == 0)
      continue;
    State& state = state_of(counter.key);
    if (const uint64_t count = counter.suppressed - state.told) {
      state.told = counter.suppressed;
      tell(state.example, count);
    }
  }
}

} // namespace acceptwatch
