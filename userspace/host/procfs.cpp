// SPDX-License-Identifier: Apache-2.0
#include "host/procfs.h"

#include "base/capabilities.h"
#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace acceptwatch {
namespace {

using Directory = std::unique_ptr<DIR, decltype([](DIR* dir) { closedir(dir); })>;

template <typename Number>
std::optional<Number> inode_of(std::string_view link, std::string_view prefix) {
  if (!link.starts_with(prefix) || !link.ends_with(']'))
    return std::nullopt;
  return parse_number<Number>(link.substr(prefix.size(), link.size() - prefix.size() - 1));
}

template <typename Visit> bool for_each_number(const std::string& path, Visit visit) {
  const Directory dir{opendir(path.c_str())};
  if (!dir)
    return false;
  while (const dirent* entry = readdir(dir.get())) {
    if (const auto number = parse_number<uint32_t>(entry->d_name))
      visit(*number);
  }
  return true;
}

} // namespace

std::optional<uint64_t> socket_of_link(std::string_view link) {
  return inode_of<uint64_t>(link, "socket:[");
}

std::optional<uint32_t> netns_of_link(std::string_view link) {
  return inode_of<uint32_t>(link, "net:[");
}

std::vector<std::string_view> fields_of_stat(std::string_view stat) {
  const size_t name_end = stat.rfind(')');
  return name_end == std::string_view::npos ? std::vector<std::string_view>{}
                                            : split(stat.substr(name_end + 1), ' ');
}

ProcFs::ProcFs(std::string root)
    : root_(std::move(root)), file_nr_(open(path("sys/fs/file-nr").c_str(), O_RDONLY | O_CLOEXEC)) {
}

std::string ProcFs::path(uint32_t pid, const char* file) const {
  return fmt::format("{}/{}/{}", root_, pid, file);
}

std::string ProcFs::path(const char* file) const { return fmt::format("{}/{}", root_, file); }

std::optional<std::string> ProcFs::name(uint32_t pid) const {
  auto comm = read_file(path(pid, "comm"));
  if (comm && comm->ends_with('\n'))
    comm->pop_back();
  return comm;
}

std::optional<uint64_t> ProcFs::start_ns(uint32_t pid) const {
  const auto stat = read_file(path(pid, "stat"));
  if (!stat)
    return std::nullopt;
  constexpr size_t start_time = 22 - 3; // proc(5) field 22; field 3 comes first here
  const auto fields = fields_of_stat(*stat);
  if (fields.size() <= start_time)
    return std::nullopt;
  const auto ticks = parse_number<uint64_t>(fields[start_time]);
  if (!ticks)
    return std::nullopt;
  return *ticks * (1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
}

std::optional<std::string> ProcFs::cgroup(uint32_t pid) const {
  const auto content = read_file(path(pid, "cgroup"));
  if (!content)
    return std::nullopt;
  for (const auto line : split(*content, '\n')) {
    constexpr std::string_view unified = "0::"; // cgroups(7)
    if (line.starts_with(unified))
      return std::string{line.substr(unified.size())};
  }
  return std::nullopt;
}

/// "4:cpu,cpuacct:/shop": cgroups(7).
std::optional<std::string> ProcFs::cgroup_of(uint32_t pid, std::string_view controller) const {
  const auto content = read_file(path(pid, "cgroup")).value_or("");
  for (const auto line : split(content, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos)
      continue;
    const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
    if (std::ranges::find(controllers, controller) != controllers.end())
      return std::string{line.substr(second + 1)};
  }
  return std::nullopt;
}

std::optional<uint32_t> ProcFs::netns(uint32_t pid) const {
  const auto link = read_link(path(pid, "ns/net"));
  return link ? netns_of_link(*link) : std::nullopt;
}

std::optional<int> ProcFs::find_socket(uint32_t pid, uint64_t inode, int hint) const {
  const auto fds = path(pid, "fd");
  if (hint >= 0) {
    const auto link = read_link(fmt::format("{}/{}", fds, hint));
    if (link && socket_of_link(*link) == inode)
      return hint;
  }
  int found = -1;
  const bool listed = for_each_socket(pid, [&](int fd, uint64_t candidate) {
    if (candidate == inode && found < 0)
      found = fd;
  });
  return listed ? std::optional{found} : std::nullopt;
}

/// "Max open files            1024                 524288               files"
/// RLIMIT_NOFILE; absent: unlimited, or not to be read.
std::optional<uint64_t> ProcFs::descriptor_limit(uint32_t pid) const {
  const auto limits = read_file(path(pid, "limits"));
  if (!limits)
    return std::nullopt;
  for (const auto line : split(*limits, '\n')) {
    constexpr std::string_view name = "Max open files ";
    if (!line.starts_with(name))
      continue;
    const auto fields = split(line.substr(name.size()), ' ');
    return fields.empty() ? std::nullopt : parse_number<uint64_t>(fields[0]);
  }
  return std::nullopt;
}

std::optional<FileUsage> ProcFs::descriptors(uint32_t pid) const {
  const auto limit = descriptor_limit(pid);
  if (!limit)
    return std::nullopt;
  FileUsage found{.open = 0, .limit = *limit};
  // The limit is on the number of a new descriptor (alloc_fd()). Descriptors at or above it, opened
  // before it was lowered, take no room.
  if (!for_each_number(path(pid, "fd"), [&](uint32_t fd) { found.open += fd < *limit; }))
    return std::nullopt;
  return found;
}

/// "1184\t0\t9223372036854775807": open, a constant, fs.file-max.
std::optional<FileUsage> ProcFs::host_files() const {
  if (!file_nr_ || lseek(file_nr_.get(), 0, SEEK_SET) != 0)
    return std::nullopt;
  auto text = read_file(file_nr_).value_or("");
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\n'; }, ' ');
  const auto fields = split(text, ' ');
  if (fields.size() < 3)
    return std::nullopt;
  const auto open = parse_number<uint64_t>(fields[0]);
  const auto limit = parse_number<uint64_t>(fields[2]);
  return open && limit ? std::optional{FileUsage{*open, *limit}} : std::nullopt;
}

/// capget() and readlink() open no file, as to read /proc/PID/status would: there may be none left.
bool ProcFs::may_exceed_file_max(uint32_t pid) const {
  constexpr std::string_view initial = "user:[4026531837]"; // PROC_USER_INIT_INO
  if (!Capabilities::of(static_cast<pid_t>(pid)).has(CAP_SYS_ADMIN))
    return false;
  return read_link(path(pid, "ns/user")).value_or(std::string{initial}) == initial;
}

std::vector<uint32_t> ProcFs::pids() const {
  std::vector<uint32_t> found;
  for_each_number(root_, [&](uint32_t pid) { found.push_back(pid); });
  return found;
}

std::vector<uint32_t> ProcFs::threads(uint32_t pid) const {
  std::vector<uint32_t> found;
  for_each_number(path(pid, "task"), [&](uint32_t tid) { found.push_back(tid); });
  return found;
}

bool ProcFs::for_each_socket(uint32_t pid, const std::function<void(int, uint64_t)>& visit) const {
  const auto fds = path(pid, "fd");
  bool any = false;
  bool vanished = false;
  const bool listed = for_each_number(fds, [&](uint32_t fd) {
    any = true;
    const auto link = read_link(fmt::format("{}/{}", fds, fd));
    vanished |= !link;
    if (const auto inode = link ? socket_of_link(*link) : std::nullopt)
      visit(static_cast<int>(fd), *inode);
  });
  return listed && any && !vanished;
}

} // namespace acceptwatch
