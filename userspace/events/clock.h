// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/short_text.h"
#include "events/event.h"

namespace acceptwatch {

/// Turns the kernel's CLOCK_BOOTTIME into wall-clock time. The difference of the
/// two moves when the wall clock is set or slewed, so it is measured again.
class Clock {
public:
  Clock();

  /// `boot_ns` is CLOCK_BOOTTIME in nanoseconds.
  [[nodiscard]] Timestamp wall_time(uint64_t boot_ns) const;
  [[nodiscard]] Timestamp now() const;
  [[nodiscard]] uint64_t boot_now() const;
  /// How long before `boot_ns` something was at `monotonic_us`, which is CLOCK_MONOTONIC in
  /// microseconds, at least 0.
  [[nodiscard]] double seconds_since(uint64_t monotonic_us, uint64_t boot_ns) const;

  /// Measures the difference anew.
  void adjust();

private:
  int64_t offset_ = 0;
  int64_t suspended_ = 0; ///< what CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC
};

/// RFC 3339, UTC, nine digits: 2026-11-22T12:17:03.120345678Z
[[nodiscard]] ShortText<30> rfc3339(Timestamp time);

/// Local time: 2026-11-22 13:17:03
[[nodiscard]] std::string local_date_and_time(Timestamp time);

/// Local time of day with milliseconds: 13:17:03.120
[[nodiscard]] std::string local_time_of_day(Timestamp time);

} // namespace acceptwatch
