// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace acceptwatch {

/// The version this binary was built as.
[[nodiscard]] std::string_view version();

} // namespace acceptwatch
