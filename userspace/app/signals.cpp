// SPDX-License-Identifier: Apache-2.0
#include "app/signals.h"

#include <cerrno>
#include <cmath>
#include <csignal>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace acceptwatch {

Result<UniqueFd> open_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
    sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd{signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!fd)
    return system_failure("cannot receive signals", errno);
  return fd;
}

int read_signal(int fd) {
  signalfd_siginfo info{};
  if (read(fd, &info, sizeof(info)) != sizeof(info))
    return 0;
  return static_cast<int>(info.ssi_signo);
}

Result<UniqueFd> open_timer(double seconds, bool repeat) {
  UniqueFd fd{timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
  double whole = 0;
  const double fraction = std::modf(seconds, &whole);
  itimerspec setting{};
  setting.it_value.tv_sec = static_cast<time_t>(whole);
  // Never all zero: that would disarm the timer.
  setting.it_value.tv_nsec = std::max(static_cast<long>(fraction * 1e9), whole < 1 ? 1L : 0L);
  if (repeat)
    setting.it_interval = setting.it_value;
  if (!fd || timerfd_settime(fd.get(), 0, &setting, nullptr) < 0)
    return system_failure("cannot set a timer", errno);
  return fd;
}

} // namespace acceptwatch
