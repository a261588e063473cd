// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "listeners/threads.h"

namespace acceptwatch {

/// What the processes that hold a listener are doing, its owner first: from /proc and
/// its cgroup, so on every tier; and stacks, where there is a reader. Absent: none of them is
/// there any more.
[[nodiscard]] std::optional<OwnerState> take_snapshot(const ProcFs& procfs,
                                                      const std::vector<uint32_t>& pids,
                                                      const StackReader& read_stacks = {});

} // namespace acceptwatch
