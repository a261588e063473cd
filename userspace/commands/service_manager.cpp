// SPDX-License-Identifier: Apache-2.0
#include "commands/service_manager.h"

#include "commands/diagnostics.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// Half of the shortest WatchdogSec= that makes sense.
constexpr uint64_t alive_pause_ns = 1'000'000'000;

/// A path, or a name that begins with '@' and is no file.
UniqueFd connect_to(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return {};
  }
  std::ranges::copy(name, address.sun_path);
  if (address.sun_path[0] == '@')
    address.sun_path[0] = '\0';
  UniqueFd fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) < 0)
    return {};
  return fd;
}

} // namespace

ServiceManager ServiceManager::connect() {
  ServiceManager manager;
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (!name || !*name)
    return manager;
  manager.socket_ = connect_to(name);
  manager.watchdog_ = std::getenv("WATCHDOG_USEC") != nullptr;
  if (!manager.socket_)
    print_note(fmt::format("nobody can be told at NOTIFY_SOCKET={} that this runs: {}", name,
                           std::strerror(errno)));
  return manager;
}

void ServiceManager::tell_ready() { owes_ready_ = !tell("READY=1"); }

void ServiceManager::tell_alive(uint64_t now_ns) {
  if (owes_ready_)
    tell_ready();
  if (!watchdog_ || now_ns < next_alive_ns_)
    return;
  static_cast<void>(tell("WATCHDOG=1"));
  next_alive_ns_ = now_ns + alive_pause_ns;
}

void ServiceManager::tell_stopping() { static_cast<void>(tell("STOPPING=1")); }

/// False: the manager's socket is full, for the moment.
bool ServiceManager::tell(std::string_view message) const {
  return !socket_ || write(socket_.get(), message.data(), message.size()) >= 0 || errno != EAGAIN;
}

} // namespace acceptwatch
