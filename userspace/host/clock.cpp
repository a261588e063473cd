// SPDX-License-Identifier: Apache-2.0
#include "host/clock.h"

#include <ctime>

namespace acceptwatch {
namespace {

int64_t read_clock(clockid_t id) {
  constexpr int64_t ns_per_second = 1'000'000'000;
  timespec time{};
  clock_gettime(id, &time);
  return int64_t{time.tv_sec} * ns_per_second + time.tv_nsec;
}

} // namespace

void Clock::adjust() {
  offsets_.wall_offset = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
  offsets_.suspended = read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
}

uint64_t Clock::boot_now() { return static_cast<uint64_t>(read_clock(CLOCK_BOOTTIME)); }

uint64_t Clock::cpu_now() { return static_cast<uint64_t>(read_clock(CLOCK_THREAD_CPUTIME_ID)); }

Instant Clock::now() const {
  Instant now = offsets_;
  now.boot_ns = boot_now();
  return now;
}

} // namespace acceptwatch
