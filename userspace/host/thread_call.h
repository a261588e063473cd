// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace acceptwatch {

/// A system call that a thread is in: number and first argument.
struct ThreadCall {
  long number;
  uint64_t first;
};

/// `task` is /proc/PID/task/TID. Absent: it is in no call, runs, or it cannot be read (Yama's
/// ptrace_scope 3).
[[nodiscard]] std::optional<ThreadCall> call_of(const std::string& task);

/// What a thread does in this call; `function` is the one of the kernel that it sleeps in.
[[nodiscard]] Activity activity_of_call(const std::string& task, const ThreadCall& call,
                                        std::string_view function);

/// What a thread does that sleeps in this function of the kernel; `other` if that tells nothing.
[[nodiscard]] Activity activity_of_wait(std::string_view function);

/// Whether the call waits for connections of the listener with this inode: accept() of it, or
/// epoll with it among the descriptors.
[[nodiscard]] Awaited awaits_listener(const std::string& task, const ThreadCall& call,
                                      uint64_t inode);

/// The inode of a socket that a descriptor of the thread refers to.
[[nodiscard]] std::optional<uint64_t> socket_of(const std::string& task, uint64_t descriptor);

} // namespace acceptwatch
