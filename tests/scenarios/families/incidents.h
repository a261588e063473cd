// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/options.h"

namespace acceptwatch::scenarios {

// `--incidents SEED`: every cause that `acceptwatch explain` tells apart, and of each a near miss:
// the same load with one knob changed. In an order and with numbers drawn from the seed. True when
// it named the right cause each time, and nothing where nothing was wrong.
bool run_incidents(const Options& options);

} // namespace acceptwatch::scenarios
