// SPDX-License-Identifier: Apache-2.0
#include "output/local_time.h"

#include <chrono>
#include <ctime>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

/// Of a second, rounded down, and the nanoseconds above it.
std::pair<time_t, int64_t> split_seconds(Timestamp time) {
  constexpr int64_t ns_per_second = 1'000'000'000;
  const int64_t below = time % ns_per_second < 0 ? 1 : 0;
  const int64_t seconds = time / ns_per_second - below;
  return {seconds, time % ns_per_second + below * ns_per_second};
}

tm local_time(time_t seconds) {
  tm local{};
  localtime_r(&seconds, &local);
  return local;
}

} // namespace

std::string local_date_and_time(Timestamp time) {
  const tm local = local_time(split_seconds(time).first);
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string local_time_of_day(Timestamp time) {
  const auto [whole, nanoseconds] = split_seconds(time);
  const tm local = local_time(whole);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     nanoseconds / 1'000'000);
}

} // namespace acceptwatch
