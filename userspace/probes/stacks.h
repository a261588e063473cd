// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "events/event.h"

#include <map>

namespace acceptwatch {

/// Counts equal stacks in the text that stacks.bpf.h writes: for each thread a line for each
/// function, the innermost first, then an empty line.
class StackCounts {
public:
  /// Takes the next piece of the text, which may end in the middle of a line.
  void add(std::string_view text);
  /// How many threads there were so far.
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
