// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"

#include <chrono>

namespace acceptwatch {

/// Bounds of one look at threads. Each thread takes three files to read, some 30 µs.
struct ThreadBounds {
  size_t threads = 512;
  std::chrono::microseconds time{5000};
};

/// Counts what the threads of these processes are doing, in all of them together. Looks at one
/// thread at least, whatever the bounds.
[[nodiscard]] ThreadStates look_at_threads(const ProcFs& procfs, const std::vector<uint32_t>& pids,
                                           ThreadBounds bounds = {});

/// What a thread does that sleeps in this function of the kernel; `other` if that tells nothing.
[[nodiscard]] Activity activity_of_wait(std::string_view function);

} // namespace acceptwatch
