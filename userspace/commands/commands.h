// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "commands/options.h"

namespace acceptwatch {

/// Streams records until it is stopped. `explain` streams none, and ends by itself.
[[nodiscard]] Result<ExitStatus> watch(const Options& options);

/// Plays a tape: the same records as of the run that wrote it, without a kernel.
[[nodiscard]] Result<void> play(const Options& options);

/// Prints what is possible here. The error is that nothing is.
[[nodiscard]] Result<void> check(const Options& options);

/// Prints every listener there is.
[[nodiscard]] Result<void> list(const Options& options);

} // namespace acceptwatch
