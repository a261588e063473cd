// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/options.h"

namespace acceptwatch::scenarios {

// `--race N`: N times acceptwatch is started, and in the instant after its `start` record one
// connection is lost. True when every one of those losses was recorded.
bool run_start_race(const Options& options);

} // namespace acceptwatch::scenarios
