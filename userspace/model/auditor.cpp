// SPDX-License-Identifier: Apache-2.0
#include "model/auditor.h"

#include "model/explain.h"

#include <algorithm>

namespace acceptwatch {
namespace {

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

NetReadings Auditor::last_readings() const {
  NetReadings readings;
  for (const auto& [netns, state] : namespaces_) {
    if (state.last)
      readings.emplace(netns, *state.last);
  }
  return readings;
}

void Auditor::begin(std::span<const uint32_t> mounted, const NetReadings& before,
                    const NetReadings& after) {
  for (const uint32_t netns : mounted) {
    if (!only_ || netns == *only_)
      namespaces_[netns].unclear = true;
  }
  for (const auto& [netns, reading] : before) {
    Namespace& state = namespaces_[netns];
    state.unclear = false;
    state.young = false;
    state.last = reading;
    state.evidence_before = reading.evidence;
    for (size_t i = 0; i < nr_kernel_counters; ++i)
      state.baseline[i] = {reading.values[i], reading.values[i]};
  }
  for (const auto& [netns, reading] : after) {
    Namespace& state = namespaces_[netns];
    state.last = reading;
    for (size_t i = 0; i < nr_kernel_counters; ++i)
      state.baseline[i].high = reading.values[i];
  }
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

void Auditor::compare(const NetReadings& before, std::span<const Counter> counters,
                      const NetReadings& after) {
  compared_ = true;
  auto explained = explain(counters);
  for (const auto& [netns, second] : after) {
    const auto first = before.find(netns);
    const auto& last = namespaces_[netns].last;
    const NetReading nothing{.values = {}, .witnesses = {}, .files = second.files};
    take(netns, first != before.end() ? first->second : last.value_or(nothing), second,
         explained[netns]);
  }
  for (auto& [netns, state] : namespaces_)
    state.gone = !after.contains(netns);
  explained_.clear();
  for (const auto& [netns, values] : explained) {
    if (values != CounterValues{} && (!only_ || netns == *only_))
      explained_.insert(netns);
  }
}

std::optional<CounterValues> Auditor::values_at_begin(uint32_t netns) const {
  const auto found = namespaces_.find(netns);
  if (found != namespaces_.end() && found->second.unclear)
    return std::nullopt;
  CounterValues values{};
  for (size_t i = 0; found != namespaces_.end() && i < nr_kernel_counters; ++i)
    values[i] = found->second.baseline[i].low;
  return values;
}

void Auditor::note(const NetReadings& readings) {
  for (const auto& [netns, reading] : readings)
    namespaces_[netns].last = reading;
}

namespace {

/// Of a namespace that is younger than the start.
EvidenceValues from_nothing() {
  EvidenceValues zeros{};
  zeros.fill(0);
  return zeros;
}

/// Where not every counter that matters was read, one that has not moved says nothing.
void forget_zeros(auto& growth) {
  for (auto& one : growth) {
    if (one == 0U)
      one.reset();
  }
}

} // namespace

bool Auditor::reads_all(const std::set<uint32_t>& needed) const {
  return std::ranges::all_of(needed, [this](uint32_t netns) {
    const auto found = namespaces_.find(netns);
    return found != namespaces_.end() && found->second.last && !found->second.unclear &&
           !found->second.gone;
  });
}

std::optional<uint64_t> Auditor::evidence_at_begin(uint32_t netns, EvidenceCounter counter) const {
  const auto found = namespaces_.find(netns);
  if (found == namespaces_.end() || found->second.unclear)
    return std::nullopt;
  if (!found->second.evidence_before)
    return 0;
  return (*found->second.evidence_before)[static_cast<size_t>(counter)];
}

EvidenceValues Auditor::evidence(const std::set<uint32_t>& needed) const {
  EvidenceValues sum{};
  for (const auto& [netns, state] : namespaces_) {
    if (!state.last || state.unclear)
      continue;
    const auto growth = state.evidence_before
                            ? growth_of(*state.evidence_before, state.last->evidence)
                            : growth_of(from_nothing(), state.last->evidence);
    for (size_t i = 0; i < nr_evidence_counters; ++i) {
      const bool of_host = is_of_host(static_cast<EvidenceCounter>(i));
      if (!growth[i] || (of_host && !state.evidence_before))
        continue;
      // Each namespace shows the same number of the host's.
      sum[i] = of_host ? std::max(sum[i].value_or(0), *growth[i]) : sum[i].value_or(0) + *growth[i];
    }
  }
  if (!reads_all(needed))
    forget_zeros(sum);
  return sum;
}

UnexplainedCounters Auditor::unexplained(const std::set<uint32_t>& needed) const {
  UnexplainedCounters beyond{};
  if (!compared_)
    return beyond;
  beyond.fill(0);
  for (const auto& [netns, state] : namespaces_) {
    for (size_t i = 0; i < nr_kernel_counters && !state.unclear; ++i)
      *beyond[i] += difference(state.moved[i].low, state.explained[i]);
  }
  if (!reads_all(needed))
    forget_zeros(beyond);
  return beyond;
}

Audit Auditor::result(uint64_t uncounted, uint64_t skipped) const {
  Audit audit;
  const Doubts doubts{blind_, uncounted, skipped};
  CounterValues kernel_sum{};
  CounterValues explained_sum{};
  for (const auto& [netns, state] : namespaces_) {
    if (state.unclear || !state.last) {
      audit.uncompared += !state.gone || explained_.contains(netns);
      continue;
    }
    ++audit.compared;
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
