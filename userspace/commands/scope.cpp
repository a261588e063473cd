// SPDX-License-Identifier: Apache-2.0
#include "commands/scope.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace acceptwatch {

KernelFilter kernel_filter(const Options& options) {
  KernelFilter filter;
  filter.family = options.family;
  filter.netns = options.netns.value_or(0);
  filter.actions = options.actions | 1U << AW_LISTENER_OPENED | 1U << AW_LISTENER_CLOSED;
  // A verdict rests on all that happens.
  if (options.actions & 1U << AW_FINDING)
    filter.actions = ~0U;
  filter.pressure_percent = options.pressure_percent;
  // The kernel's counters, with which `explain` compares, know no ports.
  if (!options.explained)
    filter.ports = options.ports;
  filter.rate = options.rate;
  filter.all_resets = options.all_resets;
  filter.owners = scope_of(options).owners.is_set();
  filter.withheld = options.withheld;
  return filter;
}

Scope scope_of(const Options& options) {
  Scope scope;
  scope.ports = options.ports;
  scope.netns = options.netns;
  scope.family = options.family;
  scope.actions = options.actions;
  scope.owners = {options.pids, options.comms, options.cgroups};
  return scope;
}

namespace {

/// What nobody asked to see was not seen either. Whoever asks for findings sees all.
void add_filters(const Options& options, std::vector<BlindSpot>& blind) {
  const auto leave_out = [&](aw_action action, aw_reason reason, const char* filter) {
    blind.push_back({action,
                     reason,
                     AW_STAGE_NONE,
                     {},
                     fmt::format("the filter {} leaves it out", filter),
                     {}});
  };
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    if (!(kernel_filter(options).actions & 1U << action))
      leave_out(static_cast<aw_action>(action), AW_REASON_NONE, "--events");
  }
  if (scope_of(options).owners.is_set())
    leave_out(AW_RESET_SENT, AW_NO_LISTENER, "by process");
}

} // namespace

Scope scope_of(const Options& options, const Plan& plan, const Probes& probes) {
  Scope scope = scope_of(options);
  scope.tier = plan.tier;
  scope.sees_queues = probes.sees_queues;
  scope.sees_accept = probes.sees_accept;
  scope.blind = plan.blind;
  add_filters(options, scope.blind);
  scope.most_events = options.count;
  scope.explained = options.explained;
  scope.after_accept = options.after_accept;
  std::ranges::copy_if(options.filters, std::back_inserter(scope.incomparable),
                       [&](const std::string& filter) {
                         const bool seen_anyway = options.explained && filter.starts_with("port=");
                         return !filter.starts_with("netns=") && !seen_anyway;
                       });
  if (plan.tier == AW_SOURCE_POLL) // its records are these counters
    scope.incomparable.emplace_back("probes=poll");
  scope.pressure_percent = options.pressure_percent;
  constexpr double ordinary_sample_seconds = 10;
  const bool samples = options.format == OutputFormat::ndjson && options.command == Command::watch;
  scope.sample_seconds = options.sample_seconds.value_or(samples ? ordinary_sample_seconds : 0);
  scope.thresholds.stall_seconds = options.stall_seconds;
  if (options.command == Command::explain)
    scope.thresholds.failed_handshakes = 1; // somebody asked for this very port
  return scope;
}

} // namespace acceptwatch
