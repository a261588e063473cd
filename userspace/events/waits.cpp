// SPDX-License-Identifier: Apache-2.0
#include "events/waits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace acceptwatch {
namespace {

/// The upper end of the bucket that holds this share of all.
uint64_t quantile_us(const Histogram& histogram, uint64_t total, double share) {
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(total) * share));
  uint64_t below = 0;
  for (uint32_t bucket = 0; bucket < AW_NR_BUCKETS; ++bucket) {
    below += histogram[bucket];
    if (below >= wanted)
      return aw_bucket_begin(bucket + 1);
  }
  return aw_bucket_begin(AW_NR_BUCKETS);
}

} // namespace

void Waits::add(const aw_waits& cpu) {
  accepted += cpu.accepted;
  max_us = std::max<uint64_t>(max_us, cpu.max_us);
  for (size_t bucket = 0; bucket < AW_NR_BUCKETS; ++bucket) {
    queued[bucket] += cpu.queued[bucket];
    handshake[bucket] += cpu.handshake[bucket];
  }
}

std::optional<Percentiles> percentiles(const Histogram& histogram, uint64_t max_us) {
  const uint64_t total = std::accumulate(histogram.begin(), histogram.end(), uint64_t{0});
  if (!total)
    return std::nullopt;
  const auto seconds = [&](double share) {
    const uint64_t us = quantile_us(histogram, total, share);
    return static_cast<double>(max_us ? std::min(us, max_us) : us) / 1e6;
  };
  return Percentiles{seconds(0.5), seconds(0.9), seconds(0.99), seconds(1)};
}

} // namespace acceptwatch
