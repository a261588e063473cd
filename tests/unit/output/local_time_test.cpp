// SPDX-License-Identifier: Apache-2.0
#include "output/local_time.h"

#include "support/records.h"

#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

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

} // namespace
} // namespace acceptwatch
