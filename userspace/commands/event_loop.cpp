// SPDX-License-Identifier: Apache-2.0
#include "commands/event_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

epoll_event entry_of(int fd, uint32_t events) {
  epoll_event entry{};
  entry.events = events;
  entry.data.fd = fd;
  return entry;
}

} // namespace

Result<EventLoop> EventLoop::open() {
  UniqueFd epoll{epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll)
    return system_failure("cannot make an epoll instance", errno);
  return EventLoop{std::move(epoll)};
}

Result<void> EventLoop::add(int fd, uint32_t events, Handler handler) {
  auto entry = entry_of(fd, events);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &entry) < 0) {
    if (errno == EPERM)
      return {};
    return system_failure("cannot wait for a descriptor", errno);
  }
  handlers_[fd] = std::move(handler);
  return {};
}

void EventLoop::change(int fd, uint32_t events) {
  auto entry = entry_of(fd, events);
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &entry);
}

void EventLoop::remove(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  handlers_.erase(fd);
}

Result<void> EventLoop::run() {
  std::array<epoll_event, 16> ready{};
  while (!stopped_) {
    const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    if (count < 0 && errno != EINTR)
      return system_failure("cannot wait for records", errno);
    for (int i = 0; i < count && !stopped_; ++i) {
      // One that a handler before it has removed is not called any more.
      const epoll_event& entry = ready[static_cast<size_t>(i)];
      const auto found = handlers_.find(entry.data.fd);
      const Handler handler = found == handlers_.end() ? Handler{} : found->second;
      if (handler)
        handler(entry.events);
    }
  }
  return {};
}

Result<Timer> Timer::open() {
  UniqueFd fd{timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
  if (!fd)
    return system_failure("cannot make a timer", errno);
  return Timer{std::move(fd)};
}

void Timer::set(double seconds) {
  double whole = 0;
  const double fraction = std::modf(seconds, &whole);
  itimerspec setting{};
  setting.it_value.tv_sec = static_cast<time_t>(whole);
  // All zero disarms it.
  const long least = seconds > 0 && whole < 1 ? 1 : 0;
  setting.it_value.tv_nsec = std::max(static_cast<long>(fraction * 1e9), least);
  timerfd_settime(fd_.get(), 0, &setting, nullptr);
}

void Timer::acknowledge() const {
  uint64_t expirations = 0;
  static_cast<void>(read(fd_.get(), &expirations, sizeof(expirations)));
}

} // namespace acceptwatch
