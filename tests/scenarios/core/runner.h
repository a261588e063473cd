// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/options.h"
#include "core/stage.h"

namespace acceptwatch::scenarios {

// Plays the scenarios once, judges and prints. Those that must be alone get an acceptwatch of their
// own afterwards. True when nothing failed.
bool run_scenarios(const Options& options, const std::vector<Scenario>& scenarios);

} // namespace acceptwatch::scenarios
