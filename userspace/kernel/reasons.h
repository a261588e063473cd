// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/kernel_reasons.h"
#include "kernel/features.h"

namespace acceptwatch {

/// From the enums in its type information.
[[nodiscard]] KernelReasons kernel_reasons(const Features& features);

} // namespace acceptwatch
