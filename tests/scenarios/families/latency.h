// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/options.h"

namespace acceptwatch::scenarios {

// `--latency N`: N connections that wait for accept() as long as was drawn for them. True when the
// percentiles that acceptwatch reports are those that the server measured itself, within a bucket.
bool run_latency(const Options& options);

} // namespace acceptwatch::scenarios
