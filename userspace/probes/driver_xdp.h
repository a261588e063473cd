// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/features.h"

namespace acceptwatch {

/// Looks for XDP programs that run in a device's driver. Only where some are loaded at all does it
/// ask each device of this network namespace; without CAP_SYS_ADMIN that is not known, and it asks.
[[nodiscard]] DriverXdp find_driver_xdp();

} // namespace acceptwatch
