// SPDX-License-Identifier: Apache-2.0
#include "events/clock.h"

#include "support/records.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
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

class LocalTimeOfDay : public testing::Test {
protected:
  ~LocalTimeOfDay() override { zone("UTC"); }

  static void zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
};

TEST_F(LocalTimeOfDay, CutsToMilliseconds) {
  zone("UTC");
  EXPECT_EQ(local_time_of_day(unit::contract_time), "12:17:03.120");
  EXPECT_EQ(local_time_of_day(999'999'999), "00:00:00.999");
}

TEST_F(LocalTimeOfDay, IsThatOfTheTimeZone) {
  zone("IST-5:30");
  EXPECT_EQ(local_time_of_day(unit::contract_time), "17:47:03.120");
}

TEST(WallTime, KeepsDistances) {
  const Clock clock;
  EXPECT_EQ(clock.wall_time(5'000'000'123) - clock.wall_time(5'000'000'000), 123);
}

TEST(WallTime, OfNowIsNow) {
  const Clock clock;
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  const Timestamp now = clock.wall_time(clock.boot_now());
  const auto difference = std::chrono::nanoseconds{now} - before;
  EXPECT_LT(std::chrono::abs(difference), std::chrono::seconds{10});
}

} // namespace
} // namespace acceptwatch
