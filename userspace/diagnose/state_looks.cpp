// SPDX-License-Identifier: Apache-2.0
#include "diagnose/state_looks.h"

#include "events/owner_state.h"

#include <algorithm>
#include <tuple>

namespace acceptwatch {
namespace {

Activity told_activity(const OwnerState& state) {
  return state.threads.told ? state.threads.told->activity : Activity::unknown;
}

/// What nobody does by his own will first, what he waits for next, work and idleness last.
int rank_of_look(const OwnerState& state) {
  if (state.frozen.value_or(false) || state.threads.count(Activity::stopped) ||
      throttled_percent(state))
    return 0;
  if (is_paused(state))
    return 2;
  switch (told_activity(state)) {
  case Activity::disk:
    return 0;
  case Activity::child:
  case Activity::lock:
  case Activity::socket_read:
  case Activity::socket_write:
  case Activity::connect:
    return 1;
  case Activity::io:
  case Activity::sleep:
    return 2;
  case Activity::running:
    return 3;
  case Activity::futex:
    return 4;
  default:
    return 5;
  }
}

} // namespace

void StateLooks::add(const OwnerState& state) {
  ++looks_;
  const int rank = rank_of_look(state);
  const Activity activity = told_activity(state);
  auto kind = std::ranges::find_if(
      kinds_, [&](const Kind& known) { return known.rank == rank && known.activity == activity; });
  if (kind == kinds_.end())
    kind = kinds_.insert(kinds_.end(), Kind{rank, activity, {}, 0, 0});
  // What is looked up less often stays as it was found.
  const auto open = kind->state.open_connections;
  const auto peer = kind->state.threads.told ? kind->state.threads.told->peer : std::nullopt;
  kind->state = state;
  if (!kind->state.open_connections)
    kind->state.open_connections = open;
  if (auto& told = kind->state.threads.told; told && !told->peer)
    told->peer = peer;
  ++kind->looks;
  kind->last = looks_;
}

const StateLooks::Kind* StateLooks::telling_kind() const {
  constexpr size_t share = 3;
  const Kind* found = nullptr;
  const auto key = [&](const Kind& kind) {
    return std::tuple{kind.looks * share < looks_, kind.rank, looks_ - kind.looks};
  };
  for (const Kind& kind : kinds_) {
    if (!found || key(kind) < key(*found))
      found = &kind;
  }
  return found;
}

const OwnerState* StateLooks::telling() const {
  const Kind* kind = telling_kind();
  return kind ? &kind->state : nullptr;
}

size_t StateLooks::alike() const {
  const Kind* kind = telling_kind();
  return kind ? kind->looks : 0;
}

const OwnerState* StateLooks::last() const {
  const auto found = std::ranges::find(kinds_, looks_, &Kind::last);
  return found == kinds_.end() ? nullptr : &found->state;
}

} // namespace acceptwatch
