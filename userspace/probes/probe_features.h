// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "kernel/features.h"

namespace acceptwatch {

/// Looks and tries. `btf_file`: type information of a kernel that carries none.
[[nodiscard]] Result<Features> probe_features(const std::string& btf_file);

} // namespace acceptwatch
