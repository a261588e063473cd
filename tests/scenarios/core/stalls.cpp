// SPDX-License-Identifier: Apache-2.0
#include "core/stalls.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <new>
#include <thread>

#include "core/error.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

namespace {

constexpr std::chrono::milliseconds nap{20};

[[noreturn]] void watch(unsigned cpu, std::atomic<int64_t>& longest_ms) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  const sched_param first{1};
  // Without these it only takes more for a stall.
  ::sched_setaffinity(0, sizeof(only), &only);
  ::sched_setscheduler(0, SCHED_FIFO, &first);
  for (auto before = Clock::now();;) {
    std::this_thread::sleep_for(nap);
    const auto now = Clock::now();
    const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(now - before - nap);
    int64_t known = longest_ms;
    while (late.count() > known && !longest_ms.compare_exchange_weak(known, late.count())) {
    }
    before = now;
  }
}

} // namespace

StallWatch::StallWatch() {
  void* memory = ::mmap(nullptr, sizeof(*longest_ms_), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Failure("no shared memory");
  }
  longest_ms_ = new (memory) std::atomic<int64_t>(0);
  for (unsigned cpu = 0; cpu < std::thread::hardware_concurrency(); ++cpu) {
    const pid_t pid = must(::fork(), "fork");
    if (pid == 0) {
      watch(cpu, *longest_ms_);
    }
    watchers_.push_back(pid);
  }
}

StallWatch::~StallWatch() {
  for (const pid_t pid : watchers_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  ::munmap(longest_ms_, sizeof(*longest_ms_));
}

std::chrono::milliseconds StallWatch::longest() const {
  return std::chrono::milliseconds(*longest_ms_);
}

} // namespace acceptwatch::scenarios
