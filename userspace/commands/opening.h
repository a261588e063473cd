// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands/options.h"
#include "kernel/plan.h"
#include "probes/record_source.h"

namespace acceptwatch {

/// A plan, and what was opened by it.
struct Opened {
  Plan plan;
  Probes probes;
};

/// Plans and attaches. What the kernel refuses costs what only that shows: the next plan does
/// without it, as long as there is one.
[[nodiscard]] Result<Opened> open_planned(Features features, const Options& options);

} // namespace acceptwatch
