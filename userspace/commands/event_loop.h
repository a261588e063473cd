// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <cstdint>
#include <functional>
#include <map>

namespace acceptwatch {

/// Waits for many things at once, by epoll(7), and calls whoever is concerned. Records, signals,
/// timers and outputs are entries of one kind.
class EventLoop {
public:
  using Handler = std::function<void(uint32_t events)>;

  [[nodiscard]] static Result<EventLoop> open();

  /// `events`: EPOLLIN, EPOLLOUT, or 0 to wait for nothing yet; EPOLLERR and EPOLLHUP come in any
  /// case. The descriptor stays open for as long as it is in the loop. One that is always ready,
  /// such as a file or /dev/null, is not waited for.
  [[nodiscard]] Result<void> add(int fd, uint32_t events, Handler handler);
  void change(int fd, uint32_t events);
  void remove(int fd);

  /// Until stop() is called; an error is one of epoll itself.
  [[nodiscard]] Result<void> run();
  void stop() { stopped_ = true; }

private:
  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}

  UniqueFd epoll_;
  std::map<int, Handler> handlers_;
  bool stopped_ = false;
};

/// Readable when its time has come.
class Timer {
public:
  [[nodiscard]] static Result<Timer> open();
  /// Once, after so long, whatever it was set to before; 0: never.
  void set(double seconds);
  /// Makes it unreadable.
  void acknowledge() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  explicit Timer(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

} // namespace acceptwatch
