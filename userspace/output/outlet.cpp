// SPDX-License-Identifier: Apache-2.0
#include "output/outlet.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

constexpr const char* check_path =
    "Check the path given to --output and its directory's permissions.";

bool is_open_for_writing(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

mode_t type_of(int fd) {
  struct stat found {};
  return fstat(fd, &found) == 0 ? found.st_mode & S_IFMT : 0;
}

/// An own description of the same pipe or terminal, so that only this process's writes do not
/// wait: the flag would be everybody's who shares it.
UniqueFd reopened_nonblocking(int fd) {
  return UniqueFd{::open(fmt::format("/proc/self/fd/{}", fd).c_str(),
                         O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
}

bool are_one_file(int a, int b) {
  struct stat one {};
  struct stat other {};
  return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

/// A line that an earlier run left half written is closed off.
bool ends_in_half_a_line(int fd) {
  struct stat file {};
  char last = '\n';
  if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size == 0)
    return false;
  const UniqueFd reading{::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_CLOEXEC)};
  return reading && pread(reading.get(), &last, 1, file.st_size - 1) == 1 && last != '\n';
}

/// A FIFO is opened for reading as well: so nobody has to read it yet, and a reader may come and
/// go. Whatever it is, opening it does not wait.
Result<UniqueFd> append_to(const UniqueFd& directory, const std::string& path) {
  const std::string name = file_name_of(path);
  struct stat found {};
  const bool fifo = fstatat(directory.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISFIFO(found.st_mode);
  UniqueFd file{openat(directory.get(), name.c_str(),
                       (fifo ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
                           O_NOCTTY | O_CLOEXEC,
                       0640)};
  if (!file && errno == ELOOP)
    return failure(fmt::format("{} is a symbolic link, which is not followed", path),
                   "Give the path of the file itself, or - for standard output.");
  if (!file)
    return system_failure(fmt::format("cannot open {} for writing", path), errno, check_path);
  if (auto mine = check_owner(file, directory, path); !mine)
    return tl::unexpected{mine.error()};
  return file;
}

} // namespace

Result<void> check_owner(const UniqueFd& file, const UniqueFd& directory, const std::string& path) {
  struct stat one {};
  struct stat parent {};
  if (fstat(file.get(), &one) != 0 || !S_ISREG(one.st_mode) || one.st_uid == geteuid())
    return {};
  if (fstat(directory.get(), &parent) != 0 || (parent.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return {};
  return failure(
      fmt::format("{} belongs to another user, in a directory that others may write to", path),
      "Choose another path, or remove that file.");
}

Result<Outlet> Outlet::open(std::string path) {
  Outlet outlet;
  if (path != "-") {
    outlet.path_ = std::move(path);
    outlet.directory_ = open_directory_of(outlet.path_);
    if (!outlet.directory_)
      return system_failure(fmt::format("cannot open the directory of {}", outlet.path_), errno,
                            check_path);
    if (auto opened = outlet.reopen(); !opened)
      return tl::unexpected{opened.error()};
    return outlet;
  }
  if (!is_open_for_writing(STDOUT_FILENO))
    return failure("standard output is closed or not open for writing",
                   "Give it somewhere to go, or write to a file with --output FILE.");
  const mode_t type = type_of(STDOUT_FILENO);
  if (type == S_IFIFO || type == S_IFCHR)
    outlet.file_ = reopened_nonblocking(STDOUT_FILENO);
  outlet.blocks_ = !outlet.file_ && type != S_IFREG;
  outlet.waitable_ = type != S_IFREG;
  return outlet;
}

std::string Outlet::name() const { return path_.empty() ? "standard output" : path_; }

void Outlet::adopt(UniqueFd file) {
  file_ = std::move(file);
  waitable_ = type_of(file_.get()) != S_IFREG;
  if (written_ == line_begin() && ends_in_half_a_line(file_.get())) {
    pending_.replace(0, written_, 1, '\n');
    written_ = 0;
  }
}

Result<void> Outlet::reopen(std::string_view head) {
  if (path_.empty())
    return {};
  auto file = append_to(directory_, path_);
  if (!file)
    return tl::unexpected{file.error()};
  // A line that is half written stays so in a file that was rotated away. A FIFO that is still the
  // same gets its other half.
  flush();
  if (!file_ || !are_one_file(file_.get(), file->get())) {
    pending_.erase(0, line_begin());
    written_ = 0;
  }
  adopt(std::move(*file));
  pending_.insert(next_line(), head);
  return {};
}

bool Outlet::put(std::string_view lines) {
  if (closed_pipe_)
    return true;
  if (pending() + lines.size() > max_pending)
    return false;
  if (written_ > max_pending / 2) { // else a slow reader would have the whole moved for each line
    const size_t line = line_begin();
    pending_.erase(0, line);
    written_ -= line;
  }
  pending_ += lines;
  return true;
}

void Outlet::put_last(std::string_view lines) {
  if (!closed_pipe_)
    pending_ += lines;
}

ssize_t Outlet::try_write(std::string_view bytes) const {
  if (blocks_) {
    // A pipe that is writable takes PIPE_BUF bytes at least.
    pollfd ready{fd(), POLLOUT, 0};
    if (poll(&ready, 1, 0) == 0) {
      errno = EAGAIN;
      return -1;
    }
    bytes = bytes.substr(0, PIPE_BUF);
  }
  return ::write(fd(), bytes.data(), bytes.size());
}

/// Of the line that is half written.
size_t Outlet::line_begin() const {
  return written_ ? pending_.rfind('\n', written_ - 1) + 1 : 0; // npos + 1 is 0
}

/// Of what is not written: where a line begins.
size_t Outlet::next_line() const {
  const bool is_half = written_ != line_begin() || pending_.substr(written_, 1) == "\n";
  return is_half ? pending_.find('\n', written_) + 1 : written_;
}

/// A full disk must not keep half a line, should this process end before there is room again.
void Outlet::take_back_half_line() {
  const size_t line = line_begin();
  const std::string_view half = std::string_view{pending_}.substr(line, written_ - line);
  struct stat file {};
  if (half.empty() || fstat(fd(), &file) != 0 || !S_ISREG(file.st_mode))
    return;
  const UniqueFd reading{
      ::open(fmt::format("/proc/self/fd/{}", fd()).c_str(), O_RDONLY | O_CLOEXEC)};
  std::string end(half.size(), '\0');
  const off_t begin = file.st_size - static_cast<off_t>(half.size());
  // Somebody else may have written behind it.
  const bool ours =
      begin >= 0 && reading &&
      pread(reading.get(), end.data(), end.size(), begin) == static_cast<ssize_t>(end.size()) &&
      end == half;
  if (ours && ftruncate(fd(), begin) == 0)
    written_ = line;
}

bool Outlet::flush() {
  while (!is_empty() && !closed_pipe_) {
    const ssize_t n = try_write(std::string_view{pending_}.substr(written_));
    if (n >= 0) {
      written_ += static_cast<size_t>(n);
      error_ = 0;
    } else if (errno == EPIPE) {
      closed_pipe_ = true;
    } else if (errno == EAGAIN) {
      error_ = 0;
      return false;
    } else if (errno != EINTR) {
      error_ = errno;
      take_back_half_line();
      return false;
    }
  }
  pending_.clear();
  written_ = 0;
  return true;
}

bool Outlet::is_terminal() const { return isatty(fd()) == 1; }

Result<void> print_to_stdout(std::string_view text) {
  if (!is_open_for_writing(STDOUT_FILENO))
    return failure("standard output is closed or not open for writing", "Give it somewhere to go.");
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) { // a non-blocking pipe that we inherited
      pollfd ready{STDOUT_FILENO, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (errno == EPIPE) {
      return {};
    } else if (errno != EINTR) {
      return system_failure("cannot write to standard output", errno);
    }
  }
  return {};
}

} // namespace acceptwatch
