// SPDX-License-Identifier: Apache-2.0
#include "probes/early_accepts.h"

#include "host/thread_call.h"

#include <atomic>
#include <bpf/bpf.h>
#include <chrono>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// A thread takes some 15 µs. Those of a server with more than a few thousand are not all found.
constexpr std::chrono::milliseconds longest_search{50};

constexpr unsigned tgid_shift = 32;

bool is_accept(long call) { return call == SYS_accept || call == SYS_accept4; }

} // namespace

std::string EarlyAccepts::task_of(uint64_t thread) const {
  const auto pid = static_cast<uint32_t>(thread >> tgid_shift);
  return fmt::format("{}/{}", procfs_.path(pid, "task"), static_cast<uint32_t>(thread));
}

void EarlyAccepts::note_descriptor(const aw_holder& holder, uint64_t key) {
  if (!links_.empty() && key && !std::atomic_ref{known_}.load())
    descriptors_.emplace(std::pair{holder.pid, holder.fd}, key);
}

void EarlyAccepts::settle() {
  if (links_.empty())
    return;
  if (!std::atomic_ref{known_}.load())
    find_threads();
  forget_others();
}

/// A thread that has called accept() since the programs were attached is in the map already.
void EarlyAccepts::find_threads() {
  const auto until = std::chrono::steady_clock::now() + longest_search;
  uint32_t before = 0;
  for (const auto& [descriptor, key] : descriptors_) {
    if (std::exchange(before, descriptor.first) == descriptor.first)
      continue;
    if (std::chrono::steady_clock::now() > until)
      break;
    find_threads_of(descriptor.first);
  }
  descriptors_.clear();
  std::atomic_ref{known_}.store(true);
}

void EarlyAccepts::find_threads_of(uint32_t pid) const {
  for (const uint32_t tid : procfs_.threads(pid)) {
    const uint64_t thread = uint64_t{pid} << tgid_shift | tid;
    const auto call = call_of(task_of(thread));
    if (!call || !is_accept(call->number))
      continue;
    const auto listener = descriptors_.find({pid, call->first});
    if (listener != descriptors_.end())
      bpf_map_update_elem(map_, &thread, &listener->second, BPF_NOEXIST);
  }
}

/// Those that called accept() while they were looked for, and those that have ended.
void EarlyAccepts::forget_others() {
  std::vector<uint64_t> others;
  bool any = false;
  uint64_t thread = 0;
  const uint64_t* previous = nullptr;
  for (; bpf_map_get_next_key(map_, previous, &thread) == 0; previous = &thread) {
    uint64_t key = 0;
    const bool waits = bpf_map_lookup_elem(map_, &thread, &key) == 0 && key &&
                       access(task_of(thread).c_str(), F_OK) == 0;
    any |= waits;
    if (!waits)
      others.push_back(thread);
  }
  for (const uint64_t other : others)
    bpf_map_delete_elem(map_, &other);
  if (!any)
    links_.clear();
}

} // namespace acceptwatch
