// SPDX-License-Identifier: Apache-2.0
#include "output/file.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace acceptwatch {

Result<OutputFile> OutputFile::open(std::string path) {
  OutputFile output;
  output.path_ = std::move(path);
  if (!output.path_.empty()) {
    if (auto opened = output.reopen(); !opened)
      return tl::unexpected{opened.error()};
    return output;
  }
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
    return failure("standard output is closed or not open for writing",
                   "Give it somewhere to go, or write to a file with --output FILE.");
  return output;
}

int OutputFile::fd() const { return path_.empty() ? STDOUT_FILENO : file_.get(); }

std::string OutputFile::name() const { return path_.empty() ? "standard output" : path_; }

Result<void> OutputFile::reopen() {
  if (path_.empty())
    return {};
  UniqueFd file{::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (!file)
    return system_failure(fmt::format("cannot open {} for writing", path_), errno,
                          "Check the path given to --output and its directory's permissions.");
  file_ = std::move(file);
  return {};
}

Result<void> OutputFile::write(std::string_view bytes) {
  while (!bytes.empty() && !closed_pipe_) {
    const ssize_t n = ::write(fd(), bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) { // a non-blocking pipe that we inherited
      pollfd ready{fd(), POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (errno == EPIPE) {
      closed_pipe_ = true;
    } else if (errno != EINTR) {
      return system_failure(fmt::format("cannot write to {}", name()), errno,
                            "Records that could not be written are lost; free some space or "
                            "write elsewhere, and start again.");
    }
  }
  return {};
}

bool OutputFile::is_terminal() const { return isatty(fd()) == 1; }

} // namespace acceptwatch
