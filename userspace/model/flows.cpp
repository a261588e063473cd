// SPDX-License-Identifier: Apache-2.0
#include "model/flows.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// Shorter waits do not start a measurement: on a busy server some connection always waits for a
/// moment.
constexpr double waits_seconds = 0.01;
/// A measurement ends when no connection has waited for this long. If it ended as soon as the queue
/// was empty, it would leave out most of the time in which the server keeps up.
constexpr uint64_t calm_ns = 10'000'000'000;
/// Bounds of memory: as many spans as the table keeps closed listeners, and more ports than are
/// ever in trouble at once.
constexpr size_t max_spans = 8192;
constexpr size_t max_meters = 1024;

aw_place key_of(const std::pair<uint32_t, uint16_t>& place) {
  return {.netns = place.first, .port = place.second, ._pad = 0};
}

} // namespace

void Flows::note(const Event& event, uint64_t at_ns) {
  if (event.action == AW_LISTENER_OPENED)
    spans_.insert_or_assign(event.listener, Span{at_ns, at_ns, 0, 0});
  const auto span = spans_.find(event.listener);
  if (event.action == AW_LISTENER_CLOSED && event.accept_queue && span != spans_.end()) {
    span->second.last_ns = at_ns;
    span->second.last_depth = event.accept_queue->depth;
  }
  if (event.action != AW_LISTEN_DROP || event.reason != AW_ACCEPT_QUEUE_FULL)
    return;
  const auto metered = meters_.find({event.netns.value_or(0), event.server_port.value_or(0)});
  if (metered != meters_.end() && metered->second.runs)
    metered->second.meter.full(event.count);
}

void Flows::extend(const Listener& listener) {
  const auto& [at_ns, accept_queue, syn_queue, head_us, settings, reuseport] = *listener.state;
  if (spans_.size() >= max_spans)
    std::erase_if(spans_, [this](const auto& entry) { return !table_.find(entry.first); });
  const auto [known, fresh] =
      spans_.try_emplace(listener.id, Span{at_ns, at_ns, accept_queue.depth, accept_queue.depth});
  Span& span = known->second;
  if (at_ns > span.last_ns) {
    span.last_ns = at_ns;
    span.last_depth = accept_queue.depth;
  }
}

/// A listener that the look did not show counts as gone: nothing more is known of it.
bool Flows::is_shown(const Listener& listener, uint64_t look_ns) {
  return !listener.closed && listener.state && listener.state->at_ns >= look_ns;
}

bool Flows::waits(const ListenerState& state, const Instant& now) {
  return state.accept_queue.depth && state.head_us &&
         now.seconds_since(state.head_us, state.at_ns) >= waits_seconds;
}

bool Flows::anybody_waits(uint64_t look_ns, const Instant& now, const Wanted& wanted) const {
  bool found = false;
  table_.for_each([&](const Listener& listener) {
    found =
        found || (is_shown(listener, look_ns) && waits(*listener.state, now) && wanted(listener));
  });
  return found;
}

std::map<Flows::Place, Flows::PortLook> Flows::by_port(uint64_t look_ns, const Instant& now,
                                                       const Wanted& wanted) const {
  std::map<Place, PortLook> ports;
  table_.for_each([&](const Listener& listener) {
    if (!is_shown(listener, look_ns))
      return;
    const ListenerState& state = *listener.state;
    PortLook& port = ports[{listener.netns, listener.port}];
    port.look.at_ns = std::max(port.look.at_ns, state.at_ns);
    port.look.depth += state.accept_queue.depth;
    port.members.push_back(listener.id);
    port.waits = port.waits || (waits(state, now) && wanted(listener));
  });
  return ports;
}

void Flows::measure(const Place& place, PortLook& port) {
  auto known = meters_.find(place);
  const bool runs = known != meters_.end() && known->second.runs;
  if (!runs) {
    const bool room = known != meters_.end() || meters_.size() < max_meters;
    if (!port.waits || !room || !control_.count_arrivals(key_of(place)))
      return;
    known = meters_.try_emplace(place).first;
    known->second.runs = true;
    ++running_;
  }
  Metered& metered = known->second;
  port.look.entered = metered.entered = host_.arrivals(key_of(place));
  std::ranges::sort(port.members);
  // A closed queue takes its connections with it, and nobody accepted them.
  if (runs && metered.members == port.members)
    metered.meter.look(port.look);
  else
    metered.meter.resume(port.look);
  metered.members = std::move(port.members);
  if (port.waits || !runs)
    metered.waited_ns = port.look.at_ns;
}

void Flows::stop_idle(uint64_t now_ns) {
  for (auto& [place, metered] : meters_) {
    if (!metered.runs || metered.kept || now_ns < metered.waited_ns + calm_ns)
      continue;
    control_.stop_counting(key_of(place));
    metered.runs = false;
    --running_;
  }
}

void Flows::keep_counting(uint32_t netns, uint16_t port) {
  const Place place{netns, port};
  const auto known = meters_.find(place);
  if (known != meters_.end() && known->second.runs) {
    known->second.kept = true;
    return;
  }
  if (!control_.count_arrivals(key_of(place)))
    return;
  Metered& metered = meters_[place];
  metered.runs = metered.kept = true;
  ++running_;
}

std::optional<uint64_t> Flows::arrivals_at(uint32_t netns, uint16_t port) const {
  const auto known = meters_.find({netns, port});
  return known != meters_.end() && known->second.runs ? std::optional{known->second.entered}
                                                      : std::nullopt;
}

std::optional<uint64_t> Flows::kept_arrivals() const {
  std::optional<uint64_t> sum;
  for (const auto& [place, metered] : meters_) {
    if (metered.kept)
      sum = sum.value_or(0) + metered.entered;
  }
  return sum;
}

void Flows::take_look(uint64_t look_ns, const Instant& now, const Wanted& wanted) {
  if (sees_accept_) {
    table_.for_each([&](const Listener& listener) {
      if (is_shown(listener, look_ns))
        extend(listener);
    });
    return;
  }
  if (!measuring() && !anybody_waits(look_ns, now, wanted))
    return;
  for (auto& [place, port] : by_port(look_ns, now, wanted))
    measure(place, port);
  stop_idle(look_ns);
}

std::optional<Flow> Flows::of(const Listener& listener, std::optional<uint64_t> accepted,
                              uint64_t full) const {
  if (!sees_accept_) {
    const auto metered = meters_.find({listener.netns, listener.port});
    if (metered == meters_.end())
      return std::nullopt;
    Flow flow = metered->second.meter.flow();
    flow.listeners = metered->second.members.size();
    return flow.looks ? std::optional{flow} : std::nullopt;
  }
  const auto found = spans_.find(listener.id);
  if (found == spans_.end() || !accepted || found->second.last_ns <= found->second.first_ns)
    return std::nullopt;
  const Span& span = found->second;
  const uint64_t left = *accepted + span.last_depth;
  Flow flow;
  flow.seconds = static_cast<double>(span.last_ns - span.first_ns) / 1e9;
  flow.entered = left - std::min<uint64_t>(left, span.first_depth);
  flow.full = full;
  flow.accepted = *accepted;
  return flow;
}

} // namespace acceptwatch
