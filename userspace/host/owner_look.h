// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"
#include "host/procfs.h"

namespace acceptwatch {

/// What the processes that hold a listener are doing. Read from
/// /proc and the owner's cgroup, so it works on every tier. Absent when all have exited.
[[nodiscard]] std::optional<OwnerState> look_at_owner(const ProcFs& procfs,
                                                      const OwnerQuestion& asked);

} // namespace acceptwatch
