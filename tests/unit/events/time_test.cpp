// SPDX-License-Identifier: Apache-2.0
#include "events/time.h"

#include "support/records.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace acceptwatch {
namespace {

constexpr Timestamp second = 1'000'000'000;

TEST(Rfc3339, HasNineDigitsAndZ) {
  EXPECT_EQ(rfc3339(unit::contract_time), "2026-11-22T12:17:03.120345678Z");
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(1), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(rfc3339(second - 1), "1970-01-01T00:00:00.999999999Z");
  EXPECT_EQ(rfc3339(second), "1970-01-01T00:00:01.000000000Z");
}

TEST(Rfc3339, KnowsLeapDays) {
  EXPECT_EQ(rfc3339(951'782'400 * second), "2000-02-29T00:00:00.000000000Z");
}

TEST(Rfc3339, ReachesTheEndOfTheRange) {
  EXPECT_EQ(rfc3339(std::numeric_limits<Timestamp>::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(Rfc3339, CountsBackFrom1970) {
  EXPECT_EQ(rfc3339(-second), "1969-12-31T23:59:59.000000000Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(rfc3339(std::numeric_limits<Timestamp>::min()), "1677-09-21T00:12:43.145224192Z");
}

TEST(WallTime, KeepsDistances) {
  const Instant now{.boot_ns = 7, .wall_offset = 1'000'000'000'000, .suspended = 0};
  EXPECT_EQ(now.wall_time(5'000'000'123) - now.wall_time(5'000'000'000), 123);
  EXPECT_EQ(now.wall_time(), 1'000'000'000'007);
}

TEST(SecondsSince, AreAtLeastNoneWhateverARecordSays) {
  const Instant now{.boot_ns = 0, .wall_offset = 0, .suspended = 2'000'000'000};
  EXPECT_DOUBLE_EQ(now.seconds_since(1'000'000, 4'000'000'000), 1);
  EXPECT_DOUBLE_EQ(now.seconds_since(9'000'000, 4'000'000'000), 0);
  EXPECT_DOUBLE_EQ(now.seconds_since(UINT64_MAX, 0), 0);
}

TEST(Nanoseconds, AreInRangeWhateverIsGiven) {
  EXPECT_EQ(nanoseconds(1.5), 1'500'000'000U);
  EXPECT_EQ(nanoseconds(-1e50), 0U);
  EXPECT_EQ(nanoseconds(std::nan("")), 0U);
  EXPECT_EQ(nanoseconds(1e300), 1'000'000'000'000'000'000U);
}

} // namespace
} // namespace acceptwatch
