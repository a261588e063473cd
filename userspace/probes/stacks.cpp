// SPDX-License-Identifier: Apache-2.0
#include "probes/stacks.h"

#include "base/text.h"
#include "events/owner_state.h"
#include "host/thread_call.h"
#include "host/threads.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// A name takes a few dozen bytes; those of C++ and Rust may take KSYM_NAME_LEN, 512.
constexpr size_t max_frame = 64;

/// Functions in which every system call, or every thread of the kernel, begins: they tell nothing.
bool is_entry(std::string_view function) {
  constexpr std::array entries{
      "x64_sys_call",         "do_syscall_64",      "entry_SYSCALL_64_after_hwframe",
      "do_fast_syscall_32",   "do_int80_emulation", "entry_SYSENTER_compat_after_hwframe",
      "__do_fast_syscall_32", "ret_from_fork"};
  return std::ranges::find(entries, function) != entries.end();
}

/// "do_sys_poll.constprop.0+0x1a/0x60 [module]" is do_sys_poll(). Empty: an address, from a
/// kernel without symbols.
std::string function_of(std::string_view line) {
  if (line.starts_with("0x"))
    return {};
  const size_t module = line.find(" [");
  std::string name{line.substr(0, std::min({line.find_first_of(".+"), module, max_frame}))};
  if (module != std::string_view::npos)
    name += line.substr(module, max_frame);
  return name;
}

/// What the thread does, by the innermost function that tells anything.
Activity activity_of(const std::vector<std::string>& frames) {
  for (const auto& frame : frames) {
    if (const auto activity = activity_of_wait(frame); activity != Activity::other)
      return activity;
  }
  return Activity::other;
}

} // namespace

void StackCounts::line(std::string_view text) {
  if (text.starts_with('@')) {
    thread_ = parse_number<uint32_t>(text.substr(1)).value_or(0);
    return;
  }
  if (!text.empty()) {
    const auto function = function_of(text);
    complete_ = complete_ || is_entry(function);
    if (!complete_ && !function.empty())
      frames_.push_back(function);
    return;
  }
  ++threads_;
  if (thread_ && thread_ == told_)
    of_told_ = frames_;
  if (!frames_.empty())
    ++counts_[frames_];
  frames_.clear();
  complete_ = false;
}

void StackCounts::add(std::string_view text) {
  rest_ += text;
  size_t begin = 0;
  for (size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
    line(std::string_view{rest_}.substr(begin, end - begin));
  rest_.erase(0, begin);
}

std::vector<KernelStack> StackCounts::most_frequent() const {
  constexpr size_t shown = 3;
  std::vector<KernelStack> stacks;
  stacks.reserve(counts_.size());
  for (const auto& [frames, threads] : counts_)
    stacks.push_back({frames, threads, activity_of(frames)});
  std::ranges::stable_sort(stacks, std::greater{}, &KernelStack::threads);
  if (stacks.size() <= shown)
    return stacks;
  // Show one stack of a thread that is busy or blocked, rather than only stacks of idle threads.
  const auto works = std::ranges::find_if(stacks, is_telling, &KernelStack::activity);
  if (works >= stacks.begin() + shown && works != stacks.end())
    stacks[shown - 1] = std::move(*works);
  stacks.resize(shown);
  return stacks;
}

void read_stacks(const UniqueFd& iterator, ThreadStates& threads) {
  using Clock = std::chrono::steady_clock;
  constexpr ThreadBounds bounds;
  const auto end = Clock::now() + bounds.time;
  StackCounts counts{threads.told ? threads.told->tid : 0};
  // A read ends when it has this much: some ten threads.
  std::array<char, 4096> chunk;
  while (counts.threads() < bounds.threads && Clock::now() < end) {
    const ssize_t n = read(iterator.get(), chunk.data(), chunk.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n <= 0)
      break;
    counts.add({chunk.data(), static_cast<size_t>(n)});
  }
  threads.stacks = counts.most_frequent();
  if (threads.told)
    threads.told->frames = counts.of_told();
}

} // namespace acceptwatch
