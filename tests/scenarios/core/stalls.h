// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <vector>

namespace acceptwatch::scenarios {

// Notices when a CPU of this machine stands still, as an emulated one does while its host is busy:
// a process on each CPU, ahead of all others, wakes every few milliseconds and looks at the clock.
// Processes and no threads, for scenarios are played by fork().
class StallWatch {
public:
  StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;
  ~StallWatch();

  // The longest that a CPU stood still so far.
  std::chrono::milliseconds longest() const;

private:
  std::atomic<int64_t>* longest_ms_ = nullptr; // shared with those processes
  std::vector<pid_t> watchers_;
};

} // namespace acceptwatch::scenarios
