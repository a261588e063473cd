// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "commands/options.h"
#include "host/seal.h"

namespace acceptwatch {

/// What closes a run off once it is under way: seal_process(). A test may leave it out, for a
/// sanitizer has calls of its own to make at the end.
using Seal = Result<bool> (*)(const SealNeeds& needs);

/// Streams records until it is stopped. `explain` streams none, and ends by itself.
[[nodiscard]] Result<ExitStatus> watch(const Options& options, Seal seal = seal_process);

/// Plays a tape: the same records as of the run that wrote it, without a kernel.
[[nodiscard]] Result<void> play(const Options& options);

/// Prints what is possible here. The error is that nothing is.
[[nodiscard]] Result<void> check(const Options& options);

/// Prints every listener there is.
[[nodiscard]] Result<void> list(const Options& options);

} // namespace acceptwatch
