// SPDX-License-Identifier: Apache-2.0
#include "host/budget.h"

#include <algorithm>

namespace acceptwatch {

bool Budget::has_left(uint64_t now_ns) {
  constexpr double second_ns = 1e9;
  const double passed =
      filled_ns_ ? static_cast<double>(now_ns - std::min(now_ns, filled_ns_)) : second_ns;
  left_ns_ = std::min(left_ns_ + passed * share_, second_ns * share_);
  filled_ns_ = std::max(now_ns, filled_ns_);
  return left_ns_ > 0;
}

} // namespace acceptwatch
