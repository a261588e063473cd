// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "kernel/features.h"

namespace acceptwatch {

/// Finds out what this kernel allows. `btf_file` may have the type information of a kernel that was
/// built without.
[[nodiscard]] Result<Features> probe_features(const std::string& btf_file);

} // namespace acceptwatch
