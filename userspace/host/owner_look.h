// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"
#include "host/procfs.h"

namespace acceptwatch {

/// What the processes that hold a listener are doing. Read from
/// /proc and the owner's cgroup, so it works on every tier. Absent when all have exited.
[[nodiscard]] std::optional<OwnerState> look_at_owner(const ProcFs& procfs,
                                                      const OwnerQuestion& asked);

/// Adds whom the thread waits for: the other end of its connection, or who has the lock. Of a
/// program that pauses, how many connections it has. The kernel goes through its whole table of
/// connections for that: 12 ms on a host with 24 GiB.
void add_counterpart(const ProcFs& procfs, const OwnerQuestion& asked, OwnerState& state);

} // namespace acceptwatch
