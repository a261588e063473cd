// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/options.h"

namespace acceptwatch::scenarios {

// `--latency N`: N connections that wait for accept() as long as was drawn for them. True when what
// acceptwatch reports is what the server measured itself: percentiles, within a bucket; on a tier
// that does not see accept(), what it derives (ten milliseconds for each connection, and more than
// ten seconds have to pass).
bool run_latency(const Options& options);

} // namespace acceptwatch::scenarios
