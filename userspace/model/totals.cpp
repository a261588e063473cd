// SPDX-License-Identifier: Apache-2.0
#include "model/totals.h"

#include <algorithm>
#include <tuple>

namespace acceptwatch {
namespace {

/// Sums over aw_counter_key.extra_mib, which only the audit tells apart.
std::map<aw_counter_key, uint64_t, BeforeInTotals> sums_of(std::span<const Counter> counters) {
  std::map<aw_counter_key, uint64_t, BeforeInTotals> sums;
  for (const Counter& counter : counters)
    sums[counter.key] += counter.count;
  return sums;
}

} // namespace

bool BeforeInTotals::operator()(const aw_counter_key& a, const aw_counter_key& b) const {
  return std::tie(a.listener, a.netns, a.action, a.reason, a.stage) <
         std::tie(b.listener, b.netns, b.action, b.reason, b.stage);
}

void FoundCounts::note(const aw_event& record, uint64_t listener, uint64_t count) {
  if (record.listener.id)
    return;
  aw_counter_key key{};
  key.listener = listener;
  key.netns = record.listener.netns;
  key.action = record.action;
  key.reason = record.reason;
  key.stage = record.stage;
  counts_[key] += count;
}

std::vector<Counter> FoundCounts::counters() const {
  std::vector<Counter> counters;
  counters.reserve(counts_.size());
  for (const auto& [key, count] : counts_)
    counters.push_back({key, count});
  return counters;
}

std::vector<Total> name_totals(std::span<const Counter> counters, const ListenerTable& table) {
  std::vector<Total> totals;
  for (const auto& [key, count] : sums_of(counters)) {
    Total total;
    total.listener = key.listener;
    total.other = key.listener == AW_OTHER_LISTENERS;
    total.action = static_cast<aw_action>(key.action);
    total.reason = static_cast<aw_reason>(key.reason);
    total.stage = static_cast<aw_stage>(key.stage);
    total.count = count;
    if (key.netns)
      total.netns = key.netns;
    if (const Listener* listener = key.listener ? table.find(key.listener) : nullptr) {
      total.server_address = listener->address;
      total.server_port = listener->port;
      if (const Holder* owner = owner_of(*listener))
        total.owner = to_owner(*owner);
    }
    totals.push_back(std::move(total));
  }
  std::sort(totals.begin(), totals.end(),
            [](const Total& a, const Total& b) { return a.count > b.count; });
  return totals;
}

} // namespace acceptwatch
