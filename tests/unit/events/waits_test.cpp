// SPDX-License-Identifier: Apache-2.0
#include "events/waits.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

TEST(Waits, CpusAddUp) {
  aw_waits cpu{};
  cpu.accepted = 2;
  cpu.max_us = 70;
  cpu.queued[3] = 2;
  cpu.handshake[1] = 1;
  Waits waits;
  waits.add(cpu);
  cpu.max_us = 50;
  waits.add(cpu);
  EXPECT_EQ(waits.accepted, 4U);
  EXPECT_EQ(waits.max_us, 70U);
  EXPECT_EQ(waits.queued[3], 4U);
  EXPECT_EQ(waits.handshake[1], 2U);
}

TEST(Waits, OfNoneThereAreNoPercentiles) { EXPECT_FALSE(percentiles(Histogram{}, 0)); }

TEST(Waits, PercentilesAreTheUpperEndsOfTheirBuckets) {
  Histogram histogram{};
  histogram[aw_bucket_of(10)] = 89;
  histogram[aw_bucket_of(1000)] = 10;
  histogram[aw_bucket_of(100'000)] = 1;
  const auto found = percentiles(histogram, 0);
  ASSERT_TRUE(found);
  const auto end_of = [](uint64_t us) {
    return static_cast<double>(aw_bucket_begin(aw_bucket_of(us) + 1)) / 1e6;
  };
  EXPECT_DOUBLE_EQ(found->p50, end_of(10));
  EXPECT_DOUBLE_EQ(found->p90, end_of(1000));
  EXPECT_DOUBLE_EQ(found->p99, end_of(1000));
  EXPECT_DOUBLE_EQ(found->max, end_of(100'000));
}

TEST(Waits, AndNoneIsAboveTheGreatest) {
  Histogram histogram{};
  histogram[aw_bucket_of(1030)] = 1;
  EXPECT_DOUBLE_EQ(percentiles(histogram, 1030)->p50, 0.00103);
}

} // namespace
} // namespace acceptwatch
