// SPDX-License-Identifier: Apache-2.0
#include "host/clock.h"

#include <chrono>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

TEST(Clock, OfNowIsNow) {
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  const auto difference = std::chrono::nanoseconds{Clock{}.now().wall_time()} - before;
  EXPECT_LT(std::chrono::abs(difference), std::chrono::seconds{10});
}

} // namespace
} // namespace acceptwatch
