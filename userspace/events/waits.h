// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <array>
#include <span>

namespace acceptwatch {

using Histogram = std::array<uint64_t, AW_NR_BUCKETS>;

/// How long connections of one listener waited for accept(): struct aw_waits, summed
/// over the CPUs.
struct Waits {
  uint64_t accepted = 0;
  uint64_t max_us = 0;
  Histogram queued{};
  Histogram handshake{};

  void add(const aw_waits& cpu);
};

/// Absent: there is none to be counted. `max_us` bounds what a bucket can mean; 0: it is
/// not known.
[[nodiscard]] std::optional<Percentiles> percentiles(const Histogram& histogram, uint64_t max_us);

} // namespace acceptwatch
