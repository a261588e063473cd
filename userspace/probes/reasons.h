// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/decode.h"
#include "probes/features.h"

namespace acceptwatch {

/// The running kernel's own names of drop and reset reasons. Their numbers move
/// between versions, so they were read from its type information.
[[nodiscard]] ReasonNames kernel_reason_names(const Features& features);

} // namespace acceptwatch
