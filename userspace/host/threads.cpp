// SPDX-License-Identifier: Apache-2.0
#include "host/threads.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <dirent.h>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <sys/syscall.h>

namespace acceptwatch {
namespace {

using Clock = std::chrono::steady_clock;
using Directory = std::unique_ptr<DIR, decltype([](DIR* dir) { closedir(dir); })>;

/// A system call that a thread is in: number and first argument.
struct Call {
  long number;
  uint64_t first;
};

template <typename Number> std::optional<Number> parse_hex(std::string_view text) {
  Number value{};
  if (!text.starts_with("0x"))
    return std::nullopt;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, value, 16);
  return error == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

/// "0 0x3 …six arguments… SP PC". Absent: in no call ("-1 SP PC"), running, or not to
/// be read (Yama's ptrace_scope 3).
std::optional<Call> call_of(const std::string& task) {
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
  return Call{*call, *argument};
}

Activity activity_of_call(const std::string& task, const Call& call, std::string_view function) {
  const auto on_descriptor = [&](Activity of_socket) {
    const auto link = read_link(fmt::format("{}/fd/{}", task, call.first));
    if (!link)
      return Activity::unknown;
    return link->starts_with("socket:[") ? of_socket : Activity::io;
  };
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
    return on_descriptor(Activity::socket_read);
  case SYS_write:
  case SYS_writev:
  case SYS_sendfile: // its first argument is the descriptor that is written to
    return on_descriptor(Activity::socket_write);
  default: // also restart_syscall(), which continues a sleep that a signal interrupted
    return activity_of_wait(function);
  }
}

/// The function of the kernel in which the thread sleeps, without a compiler's suffix
/// ("do_sys_poll.constprop.0"). Empty: it does not sleep, or the kernel shows "0", as 5.10 does to
/// everybody and others do to those who may not know.
std::string wait_of(const std::string& task) {
  auto function = read_line(task + "/wchan").value_or("");
  function.resize(std::min(function.find('.'), function.size()));
  return function == "0" ? std::string{} : function;
}

Activity activity_of_sleeper(const std::string& task, const std::string& function) {
  const auto call = call_of(task);
  return call ? activity_of_call(task, *call, function) : activity_of_wait(function);
}

class Look {
public:
  Look(const ProcFs& procfs, ThreadBounds bounds)
      : procfs_(procfs), bounds_(bounds), end_(Clock::now() + bounds.time) {}

  void process(uint32_t pid) {
    const size_t seen_before = states_.seen;
    const auto tasks = procfs_.path(pid, "task");
    const Directory dir{opendir(tasks.c_str())};
    const dirent* entry = nullptr;
    while (dir && !cut_ && (entry = readdir(dir.get()))) {
      if (!parse_number<uint32_t>(entry->d_name))
        continue;
      cut_ = used_up();
      if (!cut_)
        thread(fmt::format("{}/{}", tasks, entry->d_name));
    }
    // threads_of() may be smaller than what was seen: threads end while they are listed.
    const size_t seen = states_.seen - seen_before;
    states_.processes += seen > 0;
    states_.total += cut_ ? std::max(seen, threads_of(pid)) : seen;
  }

  [[nodiscard]] ThreadStates result() && {
    constexpr size_t shown = 4;
    for (auto& [function, threads] : waits_)
      states_.waits.push_back({function, threads});
    std::stable_sort(
        states_.waits.begin(), states_.waits.end(),
        [](const KernelWait& a, const KernelWait& b) { return a.threads > b.threads; });
    if (states_.waits.size() > shown)
      states_.waits.resize(shown);
    return std::move(states_);
  }

private:
  [[nodiscard]] bool used_up() const {
    return states_.seen >= bounds_.threads || (states_.seen && Clock::now() >= end_);
  }

  /// num_threads of proc(5), field 20.
  [[nodiscard]] size_t threads_of(uint32_t pid) const {
    const auto stat = read_file(procfs_.path(pid, "stat"));
    constexpr size_t num_threads = 20 - 3;
    const auto fields = stat ? fields_of_stat(*stat) : std::vector<std::string_view>{};
    return fields.size() > num_threads ? parse_number<size_t>(fields[num_threads]).value_or(0) : 0;
  }

  void thread(const std::string& task) {
    const auto stat = read_file(task + "/stat");
    const auto fields = stat ? fields_of_stat(*stat) : std::vector<std::string_view>{};
    if (fields.empty())
      return; // it has ended meanwhile
    const auto function = wait_of(task);
    if (!function.empty())
      ++waits_[function];
    ++states_.seen;
    ++states_.doing[static_cast<size_t>(activity(task, fields[0], function))];
  }

  [[nodiscard]] static Activity activity(const std::string& task, std::string_view state,
                                         const std::string& function) {
    switch (state.front()) { // task_state_array of fs/proc/array.c
    case 'R':
      return Activity::running;
    case 'D':
      return Activity::disk;
    case 'T':
    case 't':
      return Activity::stopped;
    case 'Z':
    case 'X':
      return Activity::zombie;
    default:
      return activity_of_sleeper(task, function);
    }
  }

  const ProcFs& procfs_;
  ThreadBounds bounds_;
  Clock::time_point end_;
  bool cut_ = false; ///< the other threads are not looked at
  ThreadStates states_;
  std::map<std::string, size_t> waits_;
};

} // namespace

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

ThreadStates look_at_threads(const ProcFs& procfs, const std::vector<uint32_t>& pids,
                             ThreadBounds bounds) {
  Look look{procfs, bounds};
  for (const uint32_t pid : pids)
    look.process(pid);
  return std::move(look).result();
}

} // namespace acceptwatch
