// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "events/event.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// "net:[4026531840]": the inode of a network namespace.
[[nodiscard]] std::optional<uint32_t> netns_of_link(std::string_view link);

/// "socket:[4711]": the inode of a socket.
[[nodiscard]] std::optional<uint64_t> socket_of_link(std::string_view link);

/// The fields of a stat file from field 3, the state, on. The name before them is
/// in parentheses and may hold any bytes, parentheses too. Empty: it is no such file.
[[nodiscard]] std::vector<std::string_view> fields_of_stat(std::string_view stat);

/// What /proc says of a process. Each is absent once the process is gone.
class ProcFs {
public:
  /// `root` is /proc, or a tree made like it.
  explicit ProcFs(std::string root = "/proc");
  ProcFs(const ProcFs&) = delete;
  ProcFs& operator=(const ProcFs&) = delete;

  [[nodiscard]] std::optional<std::string> name(uint32_t pid) const;

  /// When it was started: CLOCK_BOOTTIME in nanoseconds, as fine as clock ticks.
  [[nodiscard]] std::optional<uint64_t> start_ns(uint32_t pid) const;

  /// Its path in the cgroup2 hierarchy.
  [[nodiscard]] std::optional<std::string> cgroup(uint32_t pid) const;

  /// Its path in the hierarchy of version 1 that has this controller.
  [[nodiscard]] std::optional<std::string> cgroup_of(uint32_t pid,
                                                     std::string_view controller) const;

  /// The inode of its network namespace.
  [[nodiscard]] std::optional<uint32_t> netns(uint32_t pid) const;

  /// A descriptor of `pid` that refers to the socket `inode`; `hint` is tried
  /// first. -1: there is none. Absent: it could not be found out.
  [[nodiscard]] std::optional<int> find_socket(uint32_t pid, uint64_t inode, int hint) const;

  /// Its limit of descriptors (the soft one), and how many below that it has open.
  [[nodiscard]] std::optional<FileUsage> descriptors(uint32_t pid) const;

  /// Of the whole host, and fs.file-max. Can be read when there is none left.
  [[nodiscard]] std::optional<FileUsage> host_files() const;
  /// alloc_empty_file() lets it: it has CAP_SYS_ADMIN, and not just in a container.
  [[nodiscard]] bool may_exceed_file_max(uint32_t pid) const;

  [[nodiscard]] std::vector<uint32_t> pids() const;
  [[nodiscard]] std::vector<uint32_t> threads(uint32_t pid) const;

  /// Calls `visit(fd, inode)` for each socket among the descriptors of `pid`.
  /// False where they cannot be listed, or there are none at all: a process that
  /// exits has none any more (exit_files()) while it is still in /proc. Nor is a
  /// list reliable of which one vanished while it was read.
  bool for_each_socket(uint32_t pid, const std::function<void(int, uint64_t)>& visit) const;

  [[nodiscard]] std::string path(uint32_t pid, const char* file) const;
  /// Of a file that is no process's.
  [[nodiscard]] std::string path(const char* file) const;

private:
  [[nodiscard]] std::optional<uint64_t> descriptor_limit(uint32_t pid) const;
  std::string root_;
  UniqueFd file_nr_; ///< open from the start: when it is needed, open() would fail
};

} // namespace acceptwatch
