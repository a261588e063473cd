// SPDX-License-Identifier: Apache-2.0
#include "host/seal.h"

#include <array>
#include <bitset>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <memory>
#include <poll.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/ucontext.h>
#include <type_traits>
#include <unistd.h>

namespace acceptwatch {
namespace {

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>,
                               decltype([](scmp_filter_ctx filter) { seccomp_release(filter); })>;

/// Let through whatever their arguments are. Found by running every tier, with all that a run may
/// be asked for; the second half is what the C library may want at any time.
constexpr std::array free_calls{SCMP_SYS(read),
                                SCMP_SYS(pread64),
                                SCMP_SYS(write),
                                SCMP_SYS(close),
                                SCMP_SYS(lseek),
                                SCMP_SYS(readlink),
                                SCMP_SYS(readlinkat),
                                SCMP_SYS(getdents64),
                                SCMP_SYS(fstat),
                                SCMP_SYS(newfstatat),
                                SCMP_SYS(access),
                                SCMP_SYS(faccessat),
                                SCMP_SYS(faccessat2),
                                SCMP_SYS(ftruncate),
                                SCMP_SYS(fcntl),
                                SCMP_SYS(epoll_wait),
                                SCMP_SYS(epoll_pwait),
                                SCMP_SYS(epoll_ctl),
                                SCMP_SYS(poll),
                                SCMP_SYS(ppoll),
                                SCMP_SYS(timerfd_settime),
                                SCMP_SYS(eventfd2),
                                SCMP_SYS(membarrier),
                                SCMP_SYS(capget),
                                SCMP_SYS(geteuid),
                                SCMP_SYS(uname),

                                SCMP_SYS(brk),
                                SCMP_SYS(munmap),
                                SCMP_SYS(mremap),
                                SCMP_SYS(madvise),
                                SCMP_SYS(futex),
                                SCMP_SYS(clock_gettime),
                                SCMP_SYS(gettimeofday),
                                SCMP_SYS(clock_nanosleep),
                                SCMP_SYS(getrandom),
                                SCMP_SYS(sysinfo),
                                SCMP_SYS(sched_getaffinity),
                                SCMP_SYS(getpid),
                                SCMP_SYS(gettid),
                                SCMP_SYS(tgkill),
                                SCMP_SYS(rt_sigprocmask),
                                SCMP_SYS(rt_sigaction),
                                SCMP_SYS(rt_sigreturn),
                                SCMP_SYS(restart_syscall),
                                SCMP_SYS(exit),
                                SCMP_SYS(exit_group)};

/// Of bpf(2): what reads and empties maps, attaches a program that was loaded at the start, and
/// runs an iterator. BPF_PROG_LOAD is not among them.
constexpr std::array bpf_commands{BPF_MAP_LOOKUP_ELEM,
                                  BPF_MAP_UPDATE_ELEM,
                                  BPF_MAP_DELETE_ELEM,
                                  BPF_MAP_GET_NEXT_KEY,
                                  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
                                  BPF_RAW_TRACEPOINT_OPEN,
                                  BPF_LINK_CREATE,
                                  BPF_OBJ_GET_INFO_BY_FD,
                                  BPF_ITER_CREATE};

/// Of sockets: what a question to sock_diag takes.
constexpr std::array socket_calls{SCMP_SYS(bind),   SCMP_SYS(getsockname), SCMP_SYS(setsockopt),
                                  SCMP_SYS(sendto), SCMP_SYS(sendmsg),     SCMP_SYS(recvfrom),
                                  SCMP_SYS(recvmsg)};

/// Arguments of type int: what is above their 32 bits is not theirs.
scmp_arg_cmp is_int(unsigned argument, int value) {
  return {argument, SCMP_CMP_MASKED_EQ, UINT_MAX, static_cast<unsigned>(value)};
}

scmp_arg_cmp has_none_of(unsigned argument, int bits) {
  return {argument, SCMP_CMP_MASKED_EQ, static_cast<unsigned>(bits), 0};
}

/// Builds the list. A rule that cannot be added leaves an errno.
class Rules {
public:
  explicit Rules(const Filter& filter) : filter_(filter) {}

  template <typename... Arguments> void allow(int call, Arguments... arguments) {
    const std::array<scmp_arg_cmp, sizeof...(arguments)> all{arguments...};
    const int added =
        seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, call, all.size(), all.data());
    if (added < 0 && !error_)
      error_ = -added;
  }
  [[nodiscard]] int error() const { return error_; }

private:
  const Filter& filter_;
  int error_ = 0;
};

void add_rules(Rules& rules, const SealNeeds& needs) {
  for (const int call : free_calls)
    rules.allow(call);
  // To read. To write, in the directories of the outputs alone.
  rules.allow(SCMP_SYS(openat), has_none_of(2, O_ACCMODE | O_CREAT | O_TRUNC));
  for (const int directory : needs.directories)
    rules.allow(SCMP_SYS(openat), is_int(0, directory));
  // No memory that can be run.
  rules.allow(SCMP_SYS(mmap), has_none_of(2, PROT_EXEC));
  rules.allow(SCMP_SYS(mprotect), has_none_of(2, PROT_EXEC));
  rules.allow(SCMP_SYS(ioctl), is_int(1, TCGETS));                                    // isatty()
  rules.allow(SCMP_SYS(prlimit64), is_int(0, 0), scmp_arg_cmp{2, SCMP_CMP_EQ, 0, 0}); // to read
  if (needs.bpf) {
    rules.allow(SCMP_SYS(ioctl), is_int(1, PERF_EVENT_IOC_DISABLE)); // a kprobe is detached
    for (const int command : bpf_commands)
      rules.allow(SCMP_SYS(bpf), is_int(0, command));
  }
  if (needs.sock_diag) {
    rules.allow(SCMP_SYS(socket), is_int(0, AF_NETLINK));
    for (const int call : socket_calls)
      rules.allow(call);
  }
}

/// Nothing here allocates, or waits: it runs in the middle of whatever made the call.
void say_refused(int call) {
  constexpr std::string_view before = "acceptwatch: the system call ";
  constexpr std::string_view after =
      " is not one that a sealed run makes, and was refused. Please report it.\n";
  std::array<char, before.size() + 8 + after.size()> text{};
  char* end = std::copy(before.begin(), before.end(), text.begin());
  std::array<char, 8> digits{};
  size_t count = 0;
  do
    digits[count++] = static_cast<char>('0' + call % 10);
  while ((call /= 10) && count < digits.size());
  end = std::reverse_copy(digits.begin(), digits.begin() + count, end);
  end = std::copy(after.begin(), after.end(), end);
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT))
    static_cast<void>(write(STDERR_FILENO, text.data(), static_cast<size_t>(end - text.data())));
}

/// SECCOMP_RET_TRAP: the call was not made. It fails as a call does that is not permitted.
void refuse(int, siginfo_t* info, void* context) {
  constexpr size_t calls = 1024;
  static std::bitset<calls> said;
  const int saved = errno;
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  registers.regs[0] = static_cast<unsigned long long>(-EPERM);
#else
#error "where is a system call's result?"
#endif
  const auto call = static_cast<size_t>(info->si_syscall);
  if (call < calls && !said[call]) {
    said[call] = true;
    say_refused(info->si_syscall);
  }
  errno = saved;
}

Result<void> answer_refusals() {
  struct sigaction action {};
  action.sa_sigaction = refuse;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGSYS, &action, nullptr) < 0)
    return system_failure("cannot handle SIGSYS", errno);
  return {};
}

Result<bool> filter_calls(const SealNeeds& needs) {
  constexpr const char* what = "cannot make the filter of system calls";
  const Filter filter{seccomp_init(SCMP_ACT_TRAP)};
  if (!filter)
    return system_failure(what, ENOMEM);
  // Without the former the kernel switches on slower branches, without the latter it goes through
  // the list one by one.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_SSB, 1);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  Rules rules{filter};
  add_rules(rules, needs);
  if (rules.error())
    return system_failure(what, rules.error());
  const int loaded = seccomp_load(filter.get());
  if (loaded == -EINVAL || loaded == -ENOSYS || loaded == -EOPNOTSUPP)
    return false;
  if (loaded < 0)
    return system_failure(what, -loaded);
  return true;
}

} // namespace

Result<bool> seal_process(const SealNeeds& needs) {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return system_failure("cannot close this process off", errno);
  if (auto answered = answer_refusals(); !answered)
    return tl::unexpected{answered.error()};
  return filter_calls(needs);
}

} // namespace acceptwatch
