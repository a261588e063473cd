// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/file.h"

namespace acceptwatch {

/// SIGINT, SIGTERM, SIGHUP and SIGUSR1 as something to read.
[[nodiscard]] Result<UniqueFd> open_signals();

/// The next signal that waits; 0: none.
[[nodiscard]] int read_signal(int fd);

} // namespace acceptwatch
