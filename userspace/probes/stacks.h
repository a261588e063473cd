// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "events/event.h"

#include <map>

namespace acceptwatch {

/// Counts equal stacks in what stacks.bpf.h writes: a line for each function, the innermost
/// first, and an empty one after each thread.
class StackCounts {
public:
  /// The next piece of it, cut wherever it may be.
  void add(std::string_view text);
  /// Threads that were told so far.
  [[nodiscard]] size_t threads() const { return threads_; }
  /// The first few, most threads first.
  [[nodiscard]] std::vector<KernelStack> most_frequent() const;

private:
  void line(std::string_view text);

  std::string rest_; ///< a line whose end has not come yet
  std::vector<std::string> frames_;
  bool complete_ = false; ///< the system call has been reached
  size_t threads_ = 0;
  std::map<std::vector<std::string>, size_t> counts_;
};

/// Reads an iterator of `stacks` until it ends, or for 512 threads or 5 ms.
[[nodiscard]] std::vector<KernelStack> read_stacks(const UniqueFd& iterator);

} // namespace acceptwatch
