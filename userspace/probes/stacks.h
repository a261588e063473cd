// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "events/event.h"

#include <map>

namespace acceptwatch {

/// Counts equal stacks in the text that stacks.bpf.h writes: for each thread a line with its
/// number,
/// "@4711", one for each function, the innermost first, then an empty line.
class StackCounts {
public:
  /// The stack of the thread `told` is kept by itself; 0: of none.
  explicit StackCounts(uint32_t told = 0) : told_(told) {}

  /// Takes the next piece of the text, which may end in the middle of a line.
  void add(std::string_view text);
  /// How many threads there were so far.
  [[nodiscard]] size_t threads() const { return threads_; }
  [[nodiscard]] const std::vector<std::string>& of_told() const { return of_told_; }
  /// The first few, most threads first.
  [[nodiscard]] std::vector<KernelStack> most_frequent() const;

private:
  void line(std::string_view text);

  uint32_t told_;
  std::vector<std::string> of_told_;
  uint32_t thread_ = 0; ///< whose stack comes
  std::string rest_;    ///< a line whose end has not come yet
  std::vector<std::string> frames_;
  bool complete_ = false; ///< the system call has been reached
  size_t threads_ = 0;
  std::map<std::vector<std::string>, size_t> counts_;
};

/// Reads an iterator of `stacks` until it ends, or for 512 threads or 5 ms: adds the most frequent
/// stacks, and that of the thread that is told of.
void read_stacks(const UniqueFd& iterator, ThreadStates& threads);

} // namespace acceptwatch
