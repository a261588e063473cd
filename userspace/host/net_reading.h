// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"
#include "host/procfs.h"

#include <optional>
#include <vector>

namespace acceptwatch {

/// The counters of every namespace that has a process, or of `only` one.
///
/// /proc/PID/net shows the namespace that the process is in when the file is opened; it may move to
/// another one at any time, and back. So its files are trusted if they have the inodes of the
/// reading `before`, or else if those of a second process have the same.
[[nodiscard]] NetReadings read_net_counters(const ProcFs& procfs, std::optional<uint32_t> only,
                                            const NetReadings& before);

} // namespace acceptwatch
