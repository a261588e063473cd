// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/time.h"

namespace acceptwatch {

/// The host's clocks. The wall clock is set and slewed now and then: adjust() measures anew how
/// far it is ahead.
class Clock {
public:
  Clock() { adjust(); }

  [[nodiscard]] Instant now() const;
  /// CLOCK_BOOTTIME, nanoseconds.
  [[nodiscard]] static uint64_t boot_now();
  /// What this thread has used of CPUs.
  [[nodiscard]] static uint64_t cpu_now();
  void adjust();

private:
  Instant offsets_;
};

} // namespace acceptwatch
