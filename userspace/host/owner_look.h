// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/threads.h"

namespace acceptwatch {

/// What the processes that hold a listener are doing, its owner first: from /proc and its cgroup,
/// so on every tier. Absent: none of them is there any more.
[[nodiscard]] std::optional<OwnerState> look_at_owner(const ProcFs& procfs,
                                                      const std::vector<uint32_t>& pids);

} // namespace acceptwatch
