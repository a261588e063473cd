// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <optional>
#include <string>
#include <utility>

namespace acceptwatch {

/// Owns a file descriptor; -1 is none.
class UniqueFd {
public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd();

  [[nodiscard]] int get() const { return fd_; }
  /// Whoever is given it closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// The whole content of a file, or nothing if it cannot be read. For files of /proc and /sys, which
/// often vanish between two looks.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path);
[[nodiscard]] std::optional<std::string> read_file(const UniqueFd& fd);

/// The directory that a path is in, whatever becomes of that path: to open the file relative to it
/// (O_PATH). None: errno says why.
[[nodiscard]] UniqueFd open_directory_of(const std::string& path);
/// The last part of a path.
[[nodiscard]] std::string file_name_of(const std::string& path);

/// Where a symbolic link points, or nothing.
[[nodiscard]] std::optional<std::string> read_link(const std::string& path);

/// The first line of a file, without its newline, or nothing.
[[nodiscard]] std::optional<std::string> read_line(const std::string& path);

} // namespace acceptwatch
