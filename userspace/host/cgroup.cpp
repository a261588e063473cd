// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup.h"

#include "base/file.h"
#include "base/text.h"
#include "host/mounts.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// The number beside `key` in a file of "key number" lines.
std::optional<uint64_t> number_of(const std::string& file, std::string_view key) {
  for (const auto line : split(file, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() == 2 && fields[0] == key)
      return parse_number<uint64_t>(fields[1]);
  }
  return std::nullopt;
}

/// cpu.max: "20000 100000", or "max 100000" where there is no quota.
std::optional<CpuQuota> own_quota(const CgroupPlace& cgroup) {
  const auto max = read_line(cgroup.file("cpu.max"));
  const auto stat = read_file(cgroup.file("cpu.stat"));
  const auto fields = max ? split(*max, ' ') : std::vector<std::string_view>{};
  if (fields.size() != 2 || !stat)
    return std::nullopt;
  const auto quota = parse_number<uint64_t>(fields[0]);
  const auto period = parse_number<uint64_t>(fields[1]);
  const auto periods = number_of(*stat, "nr_periods");
  const auto throttled = number_of(*stat, "nr_throttled");
  const auto throttled_us = number_of(*stat, "throttled_usec");
  if (!quota || !period || !periods || !throttled || !throttled_us)
    return std::nullopt;
  return CpuQuota{*quota, *period, *periods, *throttled, *throttled_us};
}

/// cpu.cfs_quota_us is -1 where there is no quota; throttled_time is in nanoseconds.
std::optional<CpuQuota> own_quota_v1(const CgroupPlace& cgroup) {
  const auto number_in = [&](const char* name) {
    return parse_number<uint64_t>(read_line(cgroup.file(name)).value_or(""));
  };
  const auto stat = read_file(cgroup.file("cpu.stat"));
  const auto quota = number_in("cpu.cfs_quota_us");
  const auto period = number_in("cpu.cfs_period_us");
  if (!quota || !period || !stat)
    return std::nullopt;
  const auto periods = number_of(*stat, "nr_periods");
  const auto throttled = number_of(*stat, "nr_throttled");
  const auto throttled_ns = number_of(*stat, "throttled_time");
  if (!periods || !throttled || !throttled_ns)
    return std::nullopt;
  return CpuQuota{*quota, *period, *periods, *throttled, *throttled_ns / 1000};
}

/// Whether `a` throttles in a larger share of its periods than `b`. Of equal shares, the cgroup
/// that is nearer to the process counts: it comes first.
bool holds_back_more(const CpuQuota& a, const CpuQuota& b) {
  return a.throttled * std::max<uint64_t>(b.periods, 1) >
         b.throttled * std::max<uint64_t>(a.periods, 1);
}

/// The one of the cgroup or of those above it that holds back most. The root of the hierarchy has
/// no quota; the topmost cgroup that a container sees may have one.
std::optional<CpuQuota> tightest_quota(CgroupPlace cgroup,
                                       std::optional<CpuQuota> (*own)(const CgroupPlace&)) {
  std::optional<CpuQuota> tightest;
  for (;;) {
    const auto quota = own(cgroup);
    if (quota && (!tightest || holds_back_more(*quota, *tightest)))
      tightest = quota;
    if (cgroup.below.empty())
      return tightest;
    cgroup.below.resize(cgroup.below.rfind('/'));
  }
}

/// Where a cgroup is below this mount.
std::optional<CgroupPlace> place_below(const Mount& mount, std::string_view path) {
  // In a container, a part of the hierarchy may be mounted.
  const auto top = mount.root == "/" ? std::string_view{} : std::string_view{mount.root};
  if (!path.starts_with(top))
    return std::nullopt;
  const auto below = path == "/" ? std::string_view{} : path.substr(top.size());
  // "/../shop" is outside of the cgroup namespace.
  if (!below.empty() && (!below.starts_with('/') || below.starts_with("/..")))
    return std::nullopt;
  return CgroupPlace{mount.place, std::string{below}};
}

/// "some avg10=0.12 avg60=…"
std::optional<double> pressure_in(const std::string& path) {
  constexpr std::string_view begin = "some avg10=";
  const auto line = read_line(path);
  if (!line || !line->starts_with(begin))
    return std::nullopt;
  const auto rest = std::string_view{*line}.substr(begin.size());
  return parse_number<double>(rest.substr(0, rest.find(' ')));
}

} // namespace

std::optional<CgroupPlace> place_of_cgroup(const ProcFs& procfs, std::string_view path) {
  for (const Mount& mount : mounts_of(procfs.path("self/mountinfo"))) {
    const auto place = mount.type == "cgroup2" ? place_below(mount, path) : std::nullopt;
    if (place)
      return place;
  }
  return std::nullopt;
}

std::optional<CgroupPlace> place_of_cgroup(const ProcFs& procfs, std::string_view path,
                                           std::string_view controller) {
  for (const Mount& mount : mounts_of(procfs.path("self/mountinfo"))) {
    const auto options = split(mount.options, ',');
    const bool has_it = std::ranges::find(options, controller) != options.end();
    const auto place = mount.type == "cgroup" && has_it ? place_below(mount, path) : std::nullopt;
    if (place)
      return place;
  }
  return std::nullopt;
}

std::optional<bool> is_frozen(const CgroupPlace& cgroup) {
  const auto events = read_file(cgroup.file("cgroup.events"));
  const auto frozen = events ? number_of(*events, "frozen") : std::nullopt;
  return frozen ? std::optional{*frozen != 0} : std::nullopt;
}

std::optional<CpuQuota> cpu_quota(CgroupPlace cgroup) {
  return tightest_quota(std::move(cgroup), own_quota);
}

std::optional<CpuQuota> cpu_quota_v1(CgroupPlace cpu) {
  return tightest_quota(std::move(cpu), own_quota_v1);
}

/// freezer.state: THAWED, FREEZING or FROZEN, of the cgroup or of one above it. The root has none.
std::optional<bool> is_frozen_v1(const CgroupPlace& freezer) {
  const auto state = read_line(freezer.file("freezer.state"));
  return state ? std::optional{*state != "THAWED"} : std::nullopt;
}

Pressure pressure_of(const ProcFs& procfs, const std::optional<CgroupPlace>& cgroup) {
  if (cgroup) {
    const Pressure own{pressure_in(cgroup->file("cpu.pressure")),
                       pressure_in(cgroup->file("memory.pressure")), cgroup->below.empty()};
    if (own.cpu || own.memory)
      return own;
  }
  return {pressure_in(procfs.path("pressure/cpu")), pressure_in(procfs.path("pressure/memory")),
          true};
}

} // namespace acceptwatch
