// SPDX-License-Identifier: Apache-2.0
#include "model/pressure.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// Pressure is over at three quarters of the share at which it begins, or a queue that
/// lingers there would be told of again and again.
constexpr uint32_t hysteresis_percent = 75;
/// Where nobody looks at the queues, pressure is told anew after that long.
constexpr uint64_t unseen_ns = 10'000'000'000;

} // namespace

void PressureWarnings::begin(const Event& event, uint64_t at_ns) {
  pressed_.insert_or_assign(
      event.listener, Pressed{at_ns, event.accept_queue->depth, event.syn_queue->depth, event});
}

void PressureWarnings::note_depths(const Event& event) {
  const auto found = pressed_.find(event.listener);
  if (found == pressed_.end() || !event.accept_queue || !event.syn_queue)
    return;
  Pressed& pressed = found->second;
  pressed.accept_peak = std::max(pressed.accept_peak, event.accept_queue->depth);
  pressed.syn_peak = std::max(pressed.syn_peak, event.syn_queue->depth);
}

void PressureWarnings::end(uint64_t listener, uint64_t at_ns, const Instant& now,
                           const Tell& tell) {
  const auto found = pressed_.find(listener);
  if (found == pressed_.end())
    return;
  auto [begun_ns, accept_peak, syn_peak, event] = std::move(found->second);
  pressed_.erase(found);
  const auto peaks = control_.end_pressure(listener);
  QueuePressure pressure{true, static_cast<double>(at_ns - std::min(at_ns, begun_ns)) / 1e9,
                         accept_peak, syn_peak};
  if (peaks) {
    pressure.accept = std::max(pressure.accept, peaks->accept);
    pressure.syn = std::max(pressure.syn, peaks->syn);
  }
  event.time = now.wall_time(at_ns);
  event.client_address.reset();
  event.client_port.reset();
  event.oldest_seconds.reset();
  event.stage = AW_STAGE_NONE;
  event.pressure = pressure;
  if (const Listener* found_now = table_.find(listener);
      found_now && found_now->state && !found_now->closed) {
    event.accept_queue = found_now->state->accept_queue;
    event.syn_queue = found_now->state->syn_queue;
  }
  table_.attribute(event);
  tell(event);
}

bool PressureWarnings::is_relieved(const Pressed& pressed, const ListenerState& state) const {
  const uint32_t percent = percent_ * hysteresis_percent / 100U;
  return state.at_ns > pressed.begun_ns &&
         !aw_under_pressure(state.accept_queue.depth, state.accept_queue.limit, percent) &&
         !aw_under_pressure(state.syn_queue.depth, state.syn_queue.limit, percent);
}

void PressureWarnings::end_relieved(const Instant& now, const Tell& tell) {
  std::vector<std::pair<uint64_t, uint64_t>> over;
  for (const auto& [id, pressed] : pressed_) {
    const Listener* listener = table_.find(id);
    if (!listener || listener->closed) // its end was among what was lost
      over.emplace_back(id, now.boot_ns);
    else if (listener->state && is_relieved(pressed, *listener->state))
      over.emplace_back(id, listener->state->at_ns);
  }
  for (const auto& [id, at_ns] : over)
    end(id, at_ns, now, tell);
}

void PressureWarnings::forget_unseen(uint64_t now_ns) {
  std::erase_if(pressed_, [&](const auto& entry) {
    const bool old = now_ns > entry.second.begun_ns + unseen_ns;
    if (old)
      static_cast<void>(control_.end_pressure(entry.first));
    return old;
  });
}

} // namespace acceptwatch
