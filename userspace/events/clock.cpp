// SPDX-License-Identifier: Apache-2.0
#include "events/clock.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

constexpr int64_t ns_per_second = 1'000'000'000;

int64_t read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return int64_t{time.tv_sec} * ns_per_second + time.tv_nsec;
}

struct Split {
  tm parts;
  int64_t ns;
};

template <typename Convert> Split split_time(Timestamp time, Convert convert) {
  Split split{};
  time_t seconds = time / ns_per_second;
  split.ns = time % ns_per_second;
  if (split.ns < 0) { // before 1970
    split.ns += ns_per_second;
    --seconds;
  }
  convert(&seconds, &split.parts);
  return split;
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

std::string rfc3339(Timestamp time) {
  const auto [utc, ns] = split_time(time, gmtime_r);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ns);
}

std::string local_time_of_day(Timestamp time) {
  const auto [local, ns] = split_time(time, localtime_r);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     ns / 1'000'000);
}

} // namespace acceptwatch
