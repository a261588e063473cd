// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace acceptwatch {

struct Mount {
  std::string type; ///< "cgroup2"
  std::string
      root; ///< the directory of the file system that is mounted; in nsfs "net:[4026531840]"
  std::string place;   ///< where
  std::string options; ///< of the file system: "rw,cpu,cpuacct"
};

/// The mounts of this process's mount namespace. `table` is /proc/self/mountinfo, or made like it.
///
/// Read here, since getmntent(3) leaves out the root, without which a cgroup of a container is not
/// found, and Debian has no static libmount.
[[nodiscard]] std::vector<Mount> mounts_of(const std::string& table = "/proc/self/mountinfo");

} // namespace acceptwatch
