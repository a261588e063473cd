// SPDX-License-Identifier: Apache-2.0
#include "core/wait.h"

#include <poll.h>

#include <thread>

#include "core/error.h"

namespace acceptwatch::scenarios {

void wait_for(const std::string& sign, const std::function<bool()>& seen,
              std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  auto pause = std::chrono::microseconds(50);
  while (!seen()) {
    if (Clock::now() >= deadline) {
      throw Failure(cat("waited ", limit.count(), " ms in vain for ", sign));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(5000));
  }
}

bool readable(int fd, std::chrono::milliseconds limit) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(limit.count())) > 0;
}

} // namespace acceptwatch::scenarios
