// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"
#include "host/procfs.h"

#include <optional>
#include <vector>

namespace acceptwatch {

/// The counters of every namespace that has a process, or of `only` one.
///
/// /proc/PID/net is the namespace in which the process is at that instant, and a
/// process may move on between two looks, and back. So the files of a process are
/// believed if they are those of `before`, or else if two processes agree.
[[nodiscard]] NetReadings read_net_counters(const ProcFs& procfs, std::optional<uint32_t> only,
                                            const NetReadings& before);

} // namespace acceptwatch
