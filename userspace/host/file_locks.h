// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"

namespace acceptwatch {

/// The process that has the lock of a file which `waiter` waits for: /proc/locks. Absent: nobody's
/// that this pid namespace shows.
[[nodiscard]] std::optional<uint32_t> holder_of_lock(const ProcFs& procfs, uint32_t waiter);

} // namespace acceptwatch
