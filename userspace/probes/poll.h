// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probes/record_source.h"

#include <memory>

namespace acceptwatch {

/// The tier without BPF and without privileges. Once a second it reads the listeners of this
/// network namespace and the counters in /proc/net/netstat. What a counter has grown by becomes one
/// record with a count. The record names a listener only if no other one can have caused it.
[[nodiscard]] Result<Probes> open_poll();

} // namespace acceptwatch
