// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/decode.h"

namespace acceptwatch {

/// The running kernel's own names of drop and reset reasons. Their numbers move
/// between versions, so they are read from its type information.
[[nodiscard]] ReasonNames kernel_reason_names(const std::string& btf_file);

} // namespace acceptwatch
