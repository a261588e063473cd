// SPDX-License-Identifier: Apache-2.0
#include "acceptwatch/record_cpp.h"

#include <bit>
#include <gtest/gtest.h>

namespace {

TEST(Histogram, TwoBucketsForEachPowerOfTwo) {
  for (uint64_t us = 2; us < 1ULL << 27; us += 1 + us / 1000) {
    const auto log = static_cast<uint32_t>(std::bit_width(us)) - 1;
    EXPECT_EQ(aw_bucket_of(us), 2 * log - 1 + ((us >> (log - 1)) & 1)) << us;
  }
}

TEST(Histogram, EveryBucketBeginsWhereItSays) {
  for (uint32_t bucket = 0; bucket < AW_NR_BUCKETS; ++bucket)
    EXPECT_EQ(aw_bucket_of(aw_bucket_begin(bucket)), bucket);
}

TEST(Histogram, AndEndsWhereTheNextBegins) {
  for (uint32_t bucket = 1; bucket < AW_NR_BUCKETS; ++bucket)
    EXPECT_EQ(aw_bucket_of(aw_bucket_begin(bucket) - 1), bucket - 1);
}

TEST(Histogram, ABoundIsAtMostHalfAsMuchAgainAsTheOneBelow) {
  for (uint32_t bucket = 2; bucket < AW_NR_BUCKETS; ++bucket)
    EXPECT_LE(2 * aw_bucket_begin(bucket), 3 * aw_bucket_begin(bucket - 1)) << bucket;
}

TEST(Histogram, TheLastTakesTheRest) {
  EXPECT_EQ(aw_bucket_of(1ULL << 27), AW_NR_BUCKETS - 1U);
  EXPECT_EQ(aw_bucket_of(~0ULL), AW_NR_BUCKETS - 1U);
}

TEST(Pressure, ASmallDepthIsNone) {
  EXPECT_FALSE(aw_under_pressure(2, 0, 80));
  EXPECT_TRUE(aw_under_pressure(3, 0, 80));
}

TEST(Pressure, BeginsAtItsShareOfTheLimit) {
  EXPECT_FALSE(aw_under_pressure(7, 10, 80));
  EXPECT_TRUE(aw_under_pressure(8, 10, 80));
  EXPECT_TRUE(aw_under_pressure(0xFFFFFFFFU, 0xFFFFFFFFU, 100));
}

} // namespace
