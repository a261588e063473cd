// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace acceptwatch {

/// How much of a CPU may go into looks at the host: a share of the time, of which no more than a
/// second's worth is saved up. What is spent is spent, so a look that took long is followed by
/// none until the time has caught up.
class Budget {
public:
  /// `share`: of one CPU, above 0.
  explicit Budget(double share) : share_(share) {}

  /// Times are of any clock that does not stop.
  [[nodiscard]] bool has_left(uint64_t now_ns);
  void spend(uint64_t took_ns) { left_ns_ -= static_cast<double>(took_ns); }

private:
  double share_;
  double left_ns_ = 0;
  uint64_t filled_ns_ = 0; ///< 0: not yet
};

} // namespace acceptwatch
