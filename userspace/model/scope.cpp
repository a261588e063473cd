// SPDX-License-Identifier: Apache-2.0
#include "model/scope.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// "/system.slice" holds "/system.slice/shop.service" and not "/system.slices".
bool is_in_cgroup(std::string_view cgroup, std::string_view ancestor) {
  while (ancestor.ends_with('/'))
    ancestor.remove_suffix(1);
  return cgroup.starts_with(ancestor) &&
         (cgroup.size() == ancestor.size() || cgroup[ancestor.size()] == '/');
}

bool wants_holder(const OwnerFilter& filter, const Holder& holder) {
  const auto contains = [](const auto& list, const auto& value) {
    return std::ranges::find(list, value) != list.end();
  };
  if (!filter.pids.empty() && !contains(filter.pids, holder.pid))
    return false;
  if (!filter.names.empty() && !contains(filter.names, holder.name))
    return false;
  return filter.cgroups.empty() ||
         (holder.cgroup && std::ranges::any_of(filter.cgroups, [&](const auto& path) {
            return is_in_cgroup(*holder.cgroup, path);
          }));
}

} // namespace

bool OwnerFilter::wants(const Listener* listener) const {
  if (!is_set())
    return true;
  if (!listener)
    return false;
  const auto wanted = [this](const Holder& holder) { return wants_holder(*this, holder); };
  return std::ranges::any_of(listener->holders, wanted) ||
         (listener->last_holder && wanted(*listener->last_holder));
}

bool Scope::wants_listener(const Listener& listener) const {
  return wants_place(listener.netns, listener.port) && owners.wants(&listener) &&
         (!family || family == listener.address.family);
}

bool Scope::wants_listed(const Listed& entry) const {
  return (!ports || ports->test(entry.port)) && (!netns || netns == entry.netns) &&
         (!family || family == entry.address.family);
}

} // namespace acceptwatch
