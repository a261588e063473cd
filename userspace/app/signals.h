// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/file.h"

namespace acceptwatch {

/// SIGINT, SIGTERM, SIGHUP and SIGUSR1 as something to read; SIGPIPE is ignored, so that
/// a closed pipe shows as an error of write().
[[nodiscard]] Result<UniqueFd> open_signals();

/// The next signal that waits; 0: none.
[[nodiscard]] int read_signal(int fd);

/// Readable once, after `seconds`.
[[nodiscard]] Result<UniqueFd> open_timer(double seconds, bool repeat);

} // namespace acceptwatch
