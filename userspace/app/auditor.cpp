// SPDX-License-Identifier: Apache-2.0
#include "app/auditor.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// Namespaces without a process, as `ip netns add` makes them, cannot be read. What
/// they count before somebody enters them is not known.
std::vector<uint32_t> mounted_namespaces(const ProcFs& procfs) {
  enum Field : size_t { root = 3 }; // proc(5)
  std::vector<uint32_t> found;
  const auto self = static_cast<uint32_t>(getpid());
  const std::string mounts = read_file(procfs.path(self, "mountinfo")).value_or("");
  for (const auto line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (const auto netns = fields.size() > root ? netns_of_link(fields[root]) : std::nullopt)
      found.push_back(*netns);
  }
  return found;
}

uint64_t difference(uint64_t larger, uint64_t smaller) {
  return larger > smaller ? larger - smaller : 0;
}

/// 0: a difference without a known cause; 1: with one; 2: none.
int rank(const AuditedNamespace& audited) {
  int best = 2;
  for (const auto& counter : audited.counters) {
    if (differs(counter))
      best = std::min(best, counter.why.empty() ? 0 : 1);
  }
  return best;
}

std::vector<AuditedCounter> named(const CounterValues& kernel, const CounterValues& explained,
                                  const Doubts& doubts) {
  std::vector<AuditedCounter> counters;
  for (size_t i = 0; i < nr_kernel_counters; ++i) {
    if (!kernel[i] && !explained[i])
      continue;
    const auto counter = static_cast<KernelCounter>(i);
    counters.push_back({name_of(counter).name, kernel[i], explained[i],
                        kernel[i] > explained[i] ? why_more(counter, doubts) : std::string{}});
  }
  return counters;
}

} // namespace

NetReadings Auditor::read_all() const {
  return read_net_counters(procfs_, scope_.netns, [this](uint32_t netns) -> const NetReading* {
    const auto known = namespaces_.find(netns);
    return known == namespaces_.end() || !known->second.last ? nullptr : &*known->second.last;
  });
}

Result<void> Auditor::begin(const std::function<Result<void>()>& activate) {
  if (!can_compare())
    return activate();
  for (const uint32_t netns : mounted_namespaces(procfs_))
    namespaces_[netns].unclear = true;
  for (const auto& [netns, before] : read_all()) {
    Namespace& state = namespaces_[netns];
    state.unclear = false;
    state.young = false;
    state.last = before;
    for (size_t i = 0; i < nr_kernel_counters; ++i)
      state.baseline[i] = {before.values[i], before.values[i]};
  }
  if (auto activated = activate(); !activated)
    return activated;
  for (const auto& [netns, after] : read_all()) {
    Namespace& state = namespaces_[netns];
    state.last = after;
    for (size_t i = 0; i < nr_kernel_counters; ++i)
      state.baseline[i].high = after.values[i];
  }
  return {};
}

void Auditor::take(uint32_t netns, const NetReading& before, const NetReading& after,
                   const CounterValues& explained) {
  Namespace& state = namespaces_[netns];
  state.young |= state.gone;
  state.gone = false;
  state.unclear |= (state.last && !state.last->is_before(before)) || !before.is_before(after);
  for (size_t i = 0; i < nr_kernel_counters; ++i)
    state.moved[i] = {difference(before.values[i], state.baseline[i].high),
                      difference(after.values[i], state.baseline[i].low)};
  state.explained = explained;
  state.last = after;
  // More than the kernel counted: an earlier namespace of this number is in it.
  for (size_t i = 0; i < nr_kernel_counters; ++i)
    state.unclear |= state.young && explained[i] > state.moved[i].high;
}

void Auditor::compare(const Explained& explained) {
  if (!can_compare()) {
    static_cast<void>(explained());
    return;
  }
  const NetReadings before = read_all();
  auto explained_now = explain(explained());
  const NetReadings after = read_all();
  for (const auto& [netns, second] : after) {
    const auto first = before.find(netns);
    const auto& last = namespaces_[netns].last;
    const NetReading nothing{.values = {}, .witnesses = {}, .files = second.files};
    take(netns, first != before.end() ? first->second : last.value_or(nothing), second,
         explained_now[netns]);
  }
  for (auto& [netns, state] : namespaces_)
    state.gone = !after.contains(netns);
  explained_.clear();
  for (const auto& [netns, values] : explained_now) {
    if (values != CounterValues{} && (!scope_.netns || netns == *scope_.netns))
      explained_.insert(netns);
  }
}

Audit Auditor::result(uint64_t uncounted, uint64_t skipped) const {
  Audit audit;
  audit.incomparable = scope_.incomparable;
  const Doubts doubts{scope_.blind, uncounted, skipped};
  CounterValues kernel_sum{};
  CounterValues explained_sum{};
  for (const auto& [netns, state] : namespaces_) {
    if (state.unclear)
      continue;
    CounterValues kernel{};
    for (size_t i = 0; i < nr_kernel_counters; ++i)
      kernel[i] = std::clamp(state.explained[i], state.moved[i].low, state.moved[i].high);
    for (size_t i = 0; i < nr_kernel_counters && !state.gone; ++i) {
      kernel_sum[i] += kernel[i];
      explained_sum[i] += state.explained[i];
    }
    AuditedNamespace audited{netns, state.gone, named(kernel, state.explained, doubts)};
    if (!audited.counters.empty())
      audit.namespaces.push_back(std::move(audited));
  }
  audit.unread = static_cast<size_t>(std::ranges::count_if(explained_, [&](uint32_t netns) {
    const auto found = namespaces_.find(netns);
    return found == namespaces_.end() || found->second.unclear;
  }));
  audit.sums = named(kernel_sum, explained_sum, doubts);
  std::ranges::stable_sort(audit.namespaces, {}, rank);
  return audit;
}

} // namespace acceptwatch
