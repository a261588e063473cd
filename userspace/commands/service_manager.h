// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"

#include <cstdint>
#include <string_view>

namespace acceptwatch {

/// Whoever started this process as a service and waits to hear of it, by the protocol of
/// sd_notify(3): a datagram to the socket that NOTIFY_SOCKET names. It is a few lines, and
/// libsystemd has no static archive. Without such a manager nothing happens.
class ServiceManager {
public:
  /// Before the process is sealed: what follows is write(2) and nothing else. Where there is a
  /// name but nobody at it, that is said.
  [[nodiscard]] static ServiceManager connect();

  /// Every probe is live. Until that has been taken, tell_alive() says it again.
  void tell_ready();
  /// At each tick: a process that hangs is started again (WatchdogSec=).
  void tell_alive(uint64_t now_ns);
  void tell_stopping();

private:
  [[nodiscard]] bool tell(std::string_view message) const;

  UniqueFd socket_;
  bool watchdog_ = false;
  bool owes_ready_ = false;
  uint64_t next_alive_ns_ = 0;
};

} // namespace acceptwatch
