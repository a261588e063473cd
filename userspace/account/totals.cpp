// SPDX-License-Identifier: Apache-2.0
#include "account/totals.h"

#include <algorithm>

namespace acceptwatch {

std::vector<Total> name_totals(std::span<const Counter> counters, const ListenerTable& table) {
  std::vector<Total> totals;
  for (const Counter& counter : counters) {
    const aw_counter_key& key = counter.key;
    Total total;
    total.listener = key.listener;
    total.action = static_cast<aw_action>(key.action);
    total.reason = static_cast<aw_reason>(key.reason);
    total.stage = static_cast<aw_stage>(key.stage);
    total.count = counter.count;
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
