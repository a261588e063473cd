// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// The word that was meant, most likely: what was typed is the beginning of it, or differs in few
/// letters, of which two that changed places count as one. Absent: none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed,
                                                 const std::vector<std::string>& words);

} // namespace acceptwatch
