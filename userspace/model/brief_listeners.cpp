// SPDX-License-Identifier: Apache-2.0
#include "model/brief_listeners.h"

#include <algorithm>
#include <set>

namespace acceptwatch {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;
/// Whoever closes a listener so soon opened it for one client.
constexpr uint64_t brief_ns = 10 * second_ns;
/// So many of them, on so many ports, in so long, are a habit.
constexpr size_t many = 10;
constexpr size_t many_ports = 8;
constexpr uint64_t lately_ns = 60 * second_ns;
/// How long a listener is not told that may be closed again.
constexpr uint64_t held_ns = 2 * second_ns;
constexpr uint64_t told_pause_ns = 10 * second_ns;
/// What is more is told one by one.
constexpr size_t most_services = 256;
constexpr size_t most_opened = 4096;

bool takes_something_along(const Event& closed) {
  return (closed.accept_queue && closed.accept_queue->depth) ||
         (closed.syn_queue && closed.syn_queue->depth);
}

/// Of a service that is not known nothing is remembered.
std::optional<std::pair<uint32_t, std::string>> service_of(const Event& event) {
  if (!event.owner || event.owner->name.empty())
    return std::nullopt;
  return std::pair{event.netns.value_or(0), event.owner->name};
}

/// Of several listeners: what they have in common.
Event together(const Event& last, const std::string& service, uint64_t count) {
  Event event;
  event.time = last.time;
  event.action = last.action;
  event.stage = last.stage;
  event.source = last.source;
  event.count = count;
  event.netns = last.netns;
  event.owner = Owner{0, service, {}};
  return event;
}

} // namespace

bool BriefListeners::is_habit(const Habit& habit, uint64_t now_ns) {
  if (habit.brief.size() < many || habit.brief.front().ended_ns + lately_ns < now_ns)
    return false;
  std::set<uint16_t> ports;
  for (const Life& life : habit.brief)
    ports.insert(life.port);
  return ports.size() >= many_ports;
}

void BriefListeners::open(const Event& event, uint64_t at_ns, const Tell& tell) {
  const auto service = service_of(event);
  const auto habit = service ? habits_.find(*service) : habits_.end();
  const bool holds = habit != habits_.end() && is_habit(habit->second, at_ns);
  if (opened_.size() >= most_opened)
    return tell(event);
  opened_[event.listener] = {at_ns, holds ? std::optional{event} : std::nullopt};
  if (!holds)
    tell(event);
}

void BriefListeners::close(const Event& event, uint64_t at_ns, const Tell& tell) {
  const auto opened = opened_.find(event.listener);
  const auto service = service_of(event);
  const bool is_brief = opened != opened_.end() && service && !takes_something_along(event) &&
                        at_ns < opened->second.at_ns + brief_ns &&
                        (habits_.size() < most_services || habits_.contains(*service));
  if (!is_brief) {
    release(event.listener, tell);
    opened_.erase(event.listener);
    return tell(event);
  }
  Habit& habit = habits_[*service];
  habit.brief.push_back({at_ns, event.server_port.value_or(0)});
  if (habit.brief.size() > many)
    habit.brief.pop_front();
  if (opened->second.held) {
    ++habit.together;
    habit.opened = std::move(*opened->second.held);
    habit.closed = event;
  } else {
    tell(event);
  }
  opened_.erase(opened);
}

void BriefListeners::take(const Event& event, uint64_t at_ns, const Tell& tell) {
  if (event.action == AW_LISTENER_OPENED)
    open(event, at_ns, tell);
  else
    close(event, at_ns, tell);
}

void BriefListeners::release(uint64_t listener, const Tell& tell) {
  const auto opened = opened_.find(listener);
  if (opened == opened_.end() || !opened->second.held)
    return;
  tell(*opened->second.held);
  opened->second.held.reset();
}

void BriefListeners::tell_together(Habit& habit, const Service& service, const Tell& tell) {
  if (!habit.together)
    return;
  tell(together(habit.opened, service.second, habit.together));
  tell(together(habit.closed, service.second, habit.together));
  habit.together = 0;
}

void BriefListeners::tick(uint64_t now_ns, const Tell& tell) {
  for (auto& [listener, opened] : opened_) {
    if (opened.held && opened.at_ns + held_ns < now_ns)
      release(listener, tell);
  }
  std::erase_if(opened_, [&](const auto& one) { return one.second.at_ns + brief_ns < now_ns; });
  for (auto& [service, habit] : habits_) {
    if (habit.told_ns + told_pause_ns > now_ns)
      continue;
    habit.told_ns = now_ns;
    tell_together(habit, service, tell);
  }
  std::erase_if(habits_, [&](const auto& one) {
    return one.second.brief.back().ended_ns + lately_ns < now_ns && !one.second.together;
  });
}

void BriefListeners::finish(const Tell& tell) {
  for (auto& [listener, opened] : opened_)
    release(listener, tell);
  for (auto& [service, habit] : habits_)
    tell_together(habit, service, tell);
}

} // namespace acceptwatch
