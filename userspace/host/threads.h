// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"
#include "host/procfs.h"

#include <chrono>

namespace acceptwatch {

/// Bounds of one look at threads. Each thread takes three files to read, some 30 µs.
struct ThreadBounds {
  size_t threads = 512;
  std::chrono::microseconds time{5000};
};

/// Counts what the threads of these processes are doing, in all of them together, and names the one
/// that tells most. Looks at one thread at least, whatever the bounds.
[[nodiscard]] ThreadStates look_at_threads(const ProcFs& procfs, const OwnerQuestion& asked,
                                           ThreadBounds bounds = {});

} // namespace acceptwatch
