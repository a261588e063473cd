// SPDX-License-Identifier: Apache-2.0
#include "host/thread_call.h"

#include "base/file.h"
#include "base/text.h"
#include "host/procfs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

namespace acceptwatch {
namespace {

template <typename Number> std::optional<Number> parse_hex(std::string_view text) {
  Number value{};
  if (!text.starts_with("0x"))
    return std::nullopt;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, value, 16);
  return error == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

bool waits_by_epoll(long number) {
  switch (number) {
#ifdef SYS_epoll_wait
  case SYS_epoll_wait:
#endif
  case SYS_epoll_pwait:
  case SYS_epoll_pwait2:
    return true;
  default:
    return false;
  }
}

/// "tfd:        3 events:       19 data:                3  pos:0 ino:1f2e sdev:8":
/// ep_show_fdinfo(). One that is watched for nothing is no better than one that is not there:
/// EPOLLONESHOT.
Awaited awaits_by_epoll(const std::string& task, uint64_t epoll, uint64_t inode) {
  const auto info = read_file(fmt::format("{}/fdinfo/{}", task, epoll));
  if (!info)
    return Awaited::unknown;
  const std::string wanted = fmt::format("ino:{:x}", inode);
  bool any = false;
  for (const auto line : split(*info, '\n')) {
    if (!line.starts_with("tfd:"))
      continue;
    any = true;
    const auto fields = split(line, ' ');
    if (std::ranges::find(fields, wanted) == fields.end())
      continue;
    const auto events = std::ranges::find(fields, "events:");
    const bool has_value = events != fields.end() && events + 1 != fields.end();
    const auto mask =
        has_value ? parse_hex<uint32_t>(fmt::format("0x{}", events[1])) : std::nullopt;
    if (!mask || *mask & EPOLLIN)
      return Awaited::yes;
  }
  return any ? Awaited::no : Awaited::unknown;
}

} // namespace

/// "0 0x3 …six arguments… SP PC". Absent: in no call ("-1 SP PC"), running, or not to
/// be read (Yama's ptrace_scope 3).
std::optional<ThreadCall> call_of(const std::string& task) {
  const auto line = read_line(task + "/syscall");
  const auto fields = line ? split(*line, ' ') : std::vector<std::string_view>{};
  enum Field : size_t { number, first, stack_pointer = 7, field_count = 9 };
  if (fields.size() != field_count)
    return std::nullopt;
  const auto call = parse_number<long>(fields[number]);
  const auto argument = parse_hex<uint64_t>(fields[first]);
  const auto stack = parse_hex<uint64_t>(fields[stack_pointer]);
  // A 32-bit process has other system call numbers. It is recognized by a stack below 4 GiB.
  if (!call || !argument || !stack || *stack <= UINT32_MAX)
    return std::nullopt;
  return ThreadCall{*call, *argument};
}

namespace {

/// `of_socket` where the call's descriptor is one.
Activity on_descriptor(const std::string& task, const ThreadCall& call, Activity of_socket) {
  const auto link = read_link(fmt::format("{}/fd/{}", task, call.first));
  if (!link)
    return Activity::unknown;
  return link->starts_with("socket:[") ? of_socket : Activity::io;
}

} // namespace

Activity activity_of_call(const std::string& task, const ThreadCall& call,
                          std::string_view function) {
  switch (call.number) {
  case SYS_accept:
  case SYS_accept4:
    return Activity::accept;
#ifdef SYS_epoll_wait // newer architectures have the variants with a signal mask only
  case SYS_epoll_wait:
  case SYS_poll:
  case SYS_select:
#endif
  case SYS_epoll_pwait:
  case SYS_epoll_pwait2:
  case SYS_ppoll:
  case SYS_pselect6:
    return Activity::poll;
  case SYS_futex:
#ifdef SYS_futex_waitv
  case SYS_futex_waitv:
#endif
    return Activity::futex;
  case SYS_wait4:
  case SYS_waitid:
    return Activity::child;
  case SYS_flock:
  case SYS_fcntl: // F_SETLKW: no other sleeps
    return Activity::lock;
#ifdef SYS_pause
  case SYS_pause:
#endif
  case SYS_rt_sigsuspend:
  case SYS_rt_sigtimedwait:
    return Activity::signal;
  case SYS_nanosleep:
  case SYS_clock_nanosleep:
    return Activity::sleep;
  case SYS_connect:
    return Activity::connect;
  case SYS_recvfrom:
  case SYS_recvmsg:
  case SYS_recvmmsg:
    return Activity::socket_read;
  case SYS_sendto:
  case SYS_sendmsg:
  case SYS_sendmmsg:
    return Activity::socket_write;
  case SYS_read:
  case SYS_readv:
    return on_descriptor(task, call, Activity::socket_read);
  case SYS_write:
  case SYS_writev:
  case SYS_sendfile: // its first argument is the descriptor that is written to
    return on_descriptor(task, call, Activity::socket_write);
  default: // also restart_syscall(), which continues a sleep that a signal interrupted
    return activity_of_wait(function);
  }
}

/// For threads whose system call is not known. wait_woken() is not here: reads and writes of TCP
/// sleep in it, but those of terminals too.
Activity activity_of_wait(std::string_view function) {
  if (function.empty())
    return Activity::unknown;
  struct Known {
    std::string_view begin; ///< of the name: it differs between versions
    Activity activity;
  };
  constexpr std::array known{
      Known{"do_signal_stop", Activity::stopped},
      Known{"ptrace_stop", Activity::stopped},
      Known{"inet_csk_accept", Activity::accept},
      Known{"unix_accept", Activity::accept},
      Known{"ep_poll", Activity::poll},
      Known{"do_epoll_wait", Activity::poll},
      Known{"do_sys_poll", Activity::poll},
      Known{"do_poll", Activity::poll},
      Known{"do_select", Activity::poll},
      Known{"poll_schedule_timeout", Activity::poll},
      Known{"futex_", Activity::futex},
      Known{"__futex_wait", Activity::futex},
      Known{"do_wait", Activity::child},
      Known{"kernel_wait4", Activity::child},
      Known{"locks_lock_inode_wait", Activity::lock},
      Known{"flock_lock_inode_wait", Activity::lock},
      Known{"do_lock_file_wait", Activity::lock},
      Known{"fcntl_setlk", Activity::lock},
      Known{"sigsuspend", Activity::signal},
      Known{"do_sigtimedwait", Activity::signal},
      Known{"do_pause", Activity::signal},
      Known{"hrtimer_nanosleep", Activity::sleep},
      Known{"do_nanosleep", Activity::sleep},
      Known{"sk_wait_data", Activity::socket_read},
      Known{"unix_stream_data_wait", Activity::socket_read},
      Known{"unix_stream_read_generic", Activity::socket_read},
      Known{"sk_stream_wait_memory", Activity::socket_write},
      Known{"sock_alloc_send_pskb", Activity::socket_write},
      Known{"inet_wait_for_connect", Activity::connect},
      Known{"__inet_stream_connect", Activity::connect},
      Known{"pipe_read", Activity::io},
      Known{"pipe_write", Activity::io},
      Known{"anon_pipe_read", Activity::io},
      Known{"anon_pipe_write", Activity::io},
      Known{"n_tty_read", Activity::io},
  };
  const auto* found = std::find_if(known.begin(), known.end(), [&](const Known& candidate) {
    return function.starts_with(candidate.begin);
  });
  return found == known.end() ? Activity::other : found->activity;
}

std::optional<uint64_t> socket_of(const std::string& task, uint64_t descriptor) {
  const auto link = read_link(fmt::format("{}/fd/{}", task, descriptor));
  return link ? socket_of_link(*link) : std::nullopt;
}

Awaited awaits_listener(const std::string& task, const ThreadCall& call, uint64_t inode) {
  if (!inode)
    return Awaited::unknown;
  if (waits_by_epoll(call.number))
    return awaits_by_epoll(task, call.first, inode);
  if (call.number != SYS_accept && call.number != SYS_accept4)
    return Awaited::unknown;
  const auto socket = socket_of(task, call.first);
  return !socket ? Awaited::unknown : *socket == inode ? Awaited::yes : Awaited::no;
}

} // namespace acceptwatch
