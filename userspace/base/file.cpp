// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace acceptwatch {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0)
    close(fd_);
}

std::optional<std::string> read_file(const std::string& path) {
  const UniqueFd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  return fd ? read_file(fd) : std::nullopt;
}

std::optional<std::string> read_file(const UniqueFd& fd) {
  std::string content;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t n = read(fd.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return std::nullopt;
    if (n == 0)
      return content;
    content.append(chunk.data(), static_cast<size_t>(n));
  }
}

UniqueFd open_directory_of(const std::string& path) {
  const auto parent = std::filesystem::path{path}.parent_path();
  return UniqueFd{open(parent.empty() ? "." : parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

std::string file_name_of(const std::string& path) {
  return std::filesystem::path{path}.filename().string();
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t n = readlink(path.c_str(), target.data(), target.size());
  if (n < 0)
    return std::nullopt;
  return std::string(target.data(), static_cast<size_t>(n));
}

std::optional<std::string> read_line(const std::string& path) {
  auto content = read_file(path);
  if (content)
    content->resize(std::min(content->find('\n'), content->size()));
  return content;
}

} // namespace acceptwatch
