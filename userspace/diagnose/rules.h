// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/facts.h"

#include <vector>

namespace acceptwatch {

/// What is wrong, the most telling first: a pure function of what is known.
[[nodiscard]] std::vector<Finding> judge(const Facts& facts, const Thresholds& thresholds);

/// The names that judge() gives, in its order.
[[nodiscard]] std::vector<std::string_view> finding_names();

} // namespace acceptwatch
