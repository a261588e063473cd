// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/short_text.h"
#include "events/event.h"

namespace acceptwatch {

/// An instant, and how the kernel's clocks lie to each other then. Time is handed in wherever
/// records are understood, so that what was recorded gives the same again.
struct Instant {
  uint64_t boot_ns = 0;    ///< CLOCK_BOOTTIME
  int64_t wall_offset = 0; ///< what CLOCK_REALTIME is ahead of CLOCK_BOOTTIME, nanoseconds
  int64_t suspended = 0;   ///< what CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC, nanoseconds

  /// Of another instant, `boot` in CLOCK_BOOTTIME. A record's number may be anybody's: the sum
  /// wraps around, where that of signed numbers would be undefined.
  [[nodiscard]] Timestamp wall_time(uint64_t boot) const {
    return static_cast<Timestamp>(boot + static_cast<uint64_t>(wall_offset));
  }
  [[nodiscard]] Timestamp wall_time() const { return wall_time(boot_ns); }

  /// How long before `boot` (CLOCK_BOOTTIME) something was at `monotonic_us`, which is
  /// CLOCK_MONOTONIC in microseconds. At least 0, whatever the numbers are.
  [[nodiscard]] double seconds_since(uint64_t monotonic_us, uint64_t boot) const;
};

/// Nanoseconds of a time in seconds, which may be anybody's where it comes from a tape: at least 0,
/// and at most some thirty years.
[[nodiscard]] constexpr uint64_t nanoseconds(double seconds) {
  constexpr double most = 1e9;
  return seconds > 0 ? static_cast<uint64_t>((seconds < most ? seconds : most) * 1e9) : 0;
}

/// RFC 3339, UTC, nine digits: 2026-11-22T12:17:03.120345678Z
[[nodiscard]] ShortText<30> rfc3339(Timestamp time);

} // namespace acceptwatch
