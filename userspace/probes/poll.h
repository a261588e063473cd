// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probes/record_source.h"

#include <memory>

namespace acceptwatch {

/// The tier without BPF and without privileges: once a second, the listeners of
/// this network namespace and its counters in /proc/net/netstat. What happened in
/// between is one record with its count; whose it was is said only where no
/// second listener could have been meant.
[[nodiscard]] Result<Probes> open_poll();

} // namespace acceptwatch
