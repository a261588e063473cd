// SPDX-License-Identifier: Apache-2.0
#include "events/time.h"

#include <algorithm>
#include <chrono>

namespace acceptwatch {
namespace {

constexpr int64_t ns_per_second = 1'000'000'000;

/// Rounded down, which std::chrono::floor() cannot do at the begin of the range: what is
/// below it does not fit.
std::pair<std::chrono::seconds, int64_t> split_seconds(Timestamp time) {
  int64_t seconds = time / ns_per_second;
  int64_t nanoseconds = time % ns_per_second;
  if (nanoseconds < 0) {
    nanoseconds += ns_per_second;
    --seconds;
  }
  return {std::chrono::seconds{seconds}, nanoseconds};
}

} // namespace

double Instant::seconds_since(uint64_t monotonic_us, uint64_t boot) const {
  // In floating point, since a record's numbers may be anybody's: no sum of them overflows.
  const double then = static_cast<double>(monotonic_us) * 1e3 + static_cast<double>(suspended);
  return std::max(0.0, (static_cast<double>(boot) - then) / 1e9);
}

ShortText<30> rfc3339(Timestamp time) {
  const auto [seconds, nanoseconds] = split_seconds(time);
  const std::chrono::sys_seconds instant{seconds};
  const auto day = std::chrono::floor<std::chrono::days>(instant); // also before 1970
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time_of_day{instant - day};
  ShortText<30> text;
  const auto append = [&text](auto value, size_t digits, char behind) {
    text.append_digits(static_cast<uint32_t>(value), digits);
    text.append(behind);
  };
  append(static_cast<int>(date.year()), 4, '-');
  append(static_cast<unsigned>(date.month()), 2, '-');
  append(static_cast<unsigned>(date.day()), 2, 'T');
  append(time_of_day.hours().count(), 2, ':');
  append(time_of_day.minutes().count(), 2, ':');
  append(time_of_day.seconds().count(), 2, '.');
  append(nanoseconds, 9, 'Z');
  return text;
}

} // namespace acceptwatch
