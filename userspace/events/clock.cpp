// SPDX-License-Identifier: Apache-2.0
#include "events/clock.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fmt/format.h>

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

int64_t read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return int64_t{time.tv_sec} * ns_per_second + time.tv_nsec;
}

} // namespace

Clock::Clock() { adjust(); }

void Clock::adjust() {
  offset_ = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
  suspended_ = read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
}

double Clock::seconds_since(uint64_t monotonic_us, uint64_t boot_ns) const {
  const int64_t then = static_cast<int64_t>(monotonic_us) * 1000 + suspended_;
  return std::max(0.0, static_cast<double>(static_cast<int64_t>(boot_ns) - then) / 1e9);
}

Timestamp Clock::wall_time(uint64_t boot_ns) const {
  return static_cast<int64_t>(boot_ns) + offset_;
}

Timestamp Clock::now() const { return wall_time(boot_now()); }

uint64_t Clock::boot_now() const { return static_cast<uint64_t>(read_clock(CLOCK_BOOTTIME)); }

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

namespace {

tm local_time(time_t seconds) {
  tm local{};
  localtime_r(&seconds, &local);
  return local;
}

} // namespace

std::string local_date_and_time(Timestamp time) {
  const tm local = local_time(split_seconds(time).first.count());
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string local_time_of_day(Timestamp time) {
  const auto [whole, nanoseconds] = split_seconds(time);
  const tm local = local_time(whole.count());
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     nanoseconds / 1'000'000);
}

} // namespace acceptwatch
