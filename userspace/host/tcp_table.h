// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "host/procfs.h"

#include <chrono>

namespace acceptwatch {

/// What /proc/PID/net/tcp and tcp6 say of a listener's connections and of one other socket.
struct TcpLook {
  uint64_t open = 0;        ///< accepted connections of the port
  std::optional<Peer> peer; ///< of the socket asked for
};

/// `socket`: an inode; 0: none. Absent: it could not be read, or not in that time: a host with very
/// many connections has very long tables.
[[nodiscard]] std::optional<TcpLook>
look_at_connections(const ProcFs& procfs, uint32_t pid, uint16_t port, uint64_t socket,
                    std::chrono::microseconds time = std::chrono::microseconds{50000});

} // namespace acceptwatch
