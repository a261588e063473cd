// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace acceptwatch::unit {

/// All that can be read at once, from a descriptor that does not wait.
inline std::string read_waiting(int fd) {
  std::string text;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n <= 0)
      return text;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
}

/// A pipe of one page, of which the reading end does not wait.
struct Pipe {
  Pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
      throw std::runtime_error("cannot make a pipe");
    reader = UniqueFd{fds[0]};
    writer = UniqueFd{fds[1]};
    fcntl(fds[0], F_SETPIPE_SZ, 4096);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
  }

  UniqueFd reader;
  UniqueFd writer;
};

/// Both ends of a terminal; the one of the person does not wait.
struct Terminal {
  Terminal() : master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0)
      throw std::runtime_error("cannot make a terminal");
    slave = UniqueFd{open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
  }

  UniqueFd master;
  UniqueFd slave;
};

/// For as long as it lives, standard output (or another of the three) is that.
class Redirected {
public:
  explicit Redirected(int to, int fd = STDOUT_FILENO)
      : fd_(fd), saved_(fcntl(fd, F_DUPFD_CLOEXEC, 10)) {
    fflush(stdout);
    dup2(to, fd_);
  }
  ~Redirected() {
    fflush(stdout);
    dup2(saved_.get(), fd_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

private:
  int fd_;
  UniqueFd saved_;
};

} // namespace acceptwatch::unit
