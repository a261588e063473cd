// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"

namespace acceptwatch {

/// The directory of a cgroup.
struct CgroupPlace {
  std::string mount;
  std::string below; ///< "/shop/worker"; empty: the cgroup that is mounted

  [[nodiscard]] std::string file(const char* name) const { return mount + below + "/" + name; }
};

/// Finds the directory for a path that ProcFs::cgroup() gave, wherever cgroup2 is mounted. Absent
/// where the cgroup is not below any mount.
[[nodiscard]] std::optional<CgroupPlace> place_of_cgroup(const ProcFs& procfs,
                                                         std::string_view path);

/// The same in the hierarchy of version 1 that has this controller, for a path that
/// ProcFs::cgroup_of() gave.
[[nodiscard]] std::optional<CgroupPlace>
place_of_cgroup(const ProcFs& procfs, std::string_view path, std::string_view controller);

/// Whether the cgroup or one above it is frozen. Absent where the file cannot be read, as in the
/// root, which has none and is never frozen.
[[nodiscard]] std::optional<bool> is_frozen(const CgroupPlace& cgroup);

/// The CPU quota that limits the cgroup most: its own, or that of a cgroup above it.
[[nodiscard]] std::optional<CpuQuota> cpu_quota(CgroupPlace cgroup);

/// The same in version 1, whose files have other names; their places are those of the controllers
/// `freezer` and `cpu`.
[[nodiscard]] std::optional<bool> is_frozen_v1(const CgroupPlace& freezer);
[[nodiscard]] std::optional<CpuQuota> cpu_quota_v1(CgroupPlace cpu);

/// The pressure (PSI) of the cgroup, or of the host where the cgroup is not known.
[[nodiscard]] Pressure pressure_of(const ProcFs& procfs, const std::optional<CgroupPlace>& cgroup);

} // namespace acceptwatch
