// SPDX-License-Identifier: Apache-2.0
#include "app/filter.h"

#include <algorithm>
#include <iterator>

namespace acceptwatch {
namespace {

bool contains(const auto& list, const auto& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// "/system.slice" holds "/system.slice/shop.service" and not "/system.slices".
bool is_below(std::string_view cgroup, std::string_view ancestor) {
  while (ancestor.ends_with('/'))
    ancestor.remove_suffix(1);
  return cgroup.starts_with(ancestor) &&
         (cgroup.size() == ancestor.size() || cgroup[ancestor.size()] == '/');
}

bool holder_wanted(const Options& options, const Holder& holder) {
  if (!options.pids.empty() && !contains(options.pids, holder.pid))
    return false;
  if (!options.comms.empty() && !contains(options.comms, holder.name))
    return false;
  return options.cgroups.empty() ||
         (holder.cgroup &&
          std::any_of(options.cgroups.begin(), options.cgroups.end(),
                      [&](const auto& path) { return is_below(*holder.cgroup, path); }));
}

} // namespace

KernelFilter kernel_filter(const Options& options) {
  KernelFilter filter;
  filter.family = options.family;
  filter.netns = options.netns.value_or(0);
  filter.actions = options.actions | 1U << AW_LISTENER_OPENED | 1U << AW_LISTENER_CLOSED;
  // A verdict rests on all that happens.
  if (action_wanted(options, AW_FINDING))
    filter.actions = ~0U;
  filter.pressure_percent = options.pressure_percent;
  filter.ports = options.ports;
  filter.rate = options.rate;
  filter.all_resets = options.all_resets;
  filter.owners = filters_owners(options);
  return filter;
}

bool filters_owners(const Options& options) {
  return !options.pids.empty() || !options.comms.empty() || !options.cgroups.empty();
}

bool owner_wanted(const Options& options, const Listener* listener) {
  if (!filters_owners(options))
    return true;
  if (!listener)
    return false;
  const auto wanted = [&](const Holder& holder) { return holder_wanted(options, holder); };
  return std::any_of(listener->holders.begin(), listener->holders.end(), wanted) ||
         (listener->last_holder && wanted(*listener->last_holder));
}

bool listed_wanted(const Options& options, const Listed& entry) {
  return (!options.ports || options.ports->test(entry.port)) &&
         (!options.netns || options.netns == entry.netns) &&
         (!options.family || options.family == entry.address.family);
}

bool action_wanted(const Options& options, aw_action action) {
  return (options.actions & (1U << action)) != 0;
}

AuditScope audit_scope(const Options& options, const Plan& plan) {
  AuditScope scope;
  std::ranges::copy_if(options.filters, std::back_inserter(scope.incomparable),
                       [](const std::string& filter) { return !filter.starts_with("netns="); });
  if (plan.tier == AW_SOURCE_POLL)
    scope.incomparable.emplace_back("probes=poll");
  scope.netns = options.netns;
  scope.blind = plan.blind;
  return scope;
}

} // namespace acceptwatch
