// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

namespace acceptwatch {

/// The comparison with the kernel's counters, for a person; whole lines. One line
/// where they agree, else a table for each namespace that differs:
///
///     Audit of network namespace 4026531840
///       COUNTER                         KERNEL  EXPLAINED
///       ListenOverflows                     12         12
///       OutRsts                              9          2
///           resets of other connections are counted, too
[[nodiscard]] std::string audit_text(const Audit& audit);

} // namespace acceptwatch
