// SPDX-License-Identifier: Apache-2.0
#include "kernel/syn_limit.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

enum class Outcome : int { answered = 0, dropped = 1, unknown = 2 };

bool raise_loopback() {
  const UniqueFd socket_fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  return socket_fd && ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) == 0;
}

/// In the network namespace of this process.
bool disable_syncookies() {
  const UniqueFd sysctl{open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY | O_CLOEXEC)};
  return sysctl && write(sysctl.get(), "0", 1) == 1;
}

/// Accepts and closes the connection, so that closing the listener resets none: another acceptwatch
/// on this host would report that.
void take_connection(int listener) {
  const UniqueFd connection{accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
}

/// On loopback the answer comes before connect() returns; a dropped SYN would be
/// sent again after a second.
Outcome connect_to_empty_queue() {
  const UniqueFd listener{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const UniqueFd client{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener || !client || bind(listener.get(), generic, length) < 0 ||
      listen(listener.get(), 0) < 0 || getsockname(listener.get(), generic, &length) < 0)
    return Outcome::unknown;
  if (connect(client.get(), generic, length) < 0) {
    if (errno != EINPROGRESS)
      return Outcome::unknown;
    constexpr int patience_ms = 200;
    pollfd writable{client.get(), POLLOUT, 0};
    if (poll(&writable, 1, patience_ms) != 1)
      return Outcome::dropped;
  }
  take_connection(listener.get());
  return Outcome::answered;
}

Outcome try_in_new_namespace() {
  if (unshare(CLONE_NEWNET) < 0 || !raise_loopback() || !disable_syncookies())
    return Outcome::unknown;
  return connect_to_empty_queue();
}

} // namespace

std::optional<bool> syn_queue_full_at_limit() {
  // In a child process, whose network namespace ends with it.
  const pid_t child = fork();
  if (child < 0)
    return std::nullopt;
  if (child == 0)
    _exit(static_cast<int>(try_in_new_namespace()));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) >= static_cast<int>(Outcome::unknown))
    return std::nullopt;
  return WEXITSTATUS(status) == static_cast<int>(Outcome::dropped);
}

} // namespace acceptwatch
