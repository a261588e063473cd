// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"

namespace acceptwatch {

/// Where a cgroup of the cgroup2 hierarchy is to be found.
struct CgroupPlace {
  std::string mount;
  std::string below; ///< "/shop/worker"; empty: what is mounted

  [[nodiscard]] std::string file(const char* name) const { return mount + below + "/" + name; }
};

/// The place of a path as ProcFs::cgroup() has it, wherever cgroup2 is mounted.
/// Absent: it is outside of what is mounted here.
[[nodiscard]] std::optional<CgroupPlace> place_of_cgroup(const ProcFs& procfs,
                                                         std::string_view path);

/// The cgroup or one above it is frozen. Absent: not known; the root never is.
[[nodiscard]] std::optional<bool> is_frozen(const CgroupPlace& cgroup);

/// The quota that holds the cgroup back most: its own, or of one above it.
[[nodiscard]] std::optional<CpuQuota> cpu_quota(CgroupPlace cgroup);

/// Of the cgroup, else of the host.
[[nodiscard]] Pressure pressure_of(const ProcFs& procfs, const std::optional<CgroupPlace>& cgroup);

} // namespace acceptwatch
