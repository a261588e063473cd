// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "cli/options.h"

namespace acceptwatch {

/// Streams records until it is stopped. `explain` streams none, and ends by itself: then
/// the value is whether it has found something, otherwise true.
[[nodiscard]] Result<bool> run_stream(const Options& options);

/// Prints what is possible here. The error is that nothing is.
[[nodiscard]] Result<void> run_check(const Options& options);

/// Prints every listener there is.
[[nodiscard]] Result<void> run_list(const Options& options);

} // namespace acceptwatch
