// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "listeners/process.h"

#include <map>

namespace acceptwatch::unit {

/// What /proc would say, as a value. A process that is not in it has exited.
class FakeProcFs final : public ProcFs {
public:
  struct Process {
    std::string name;
    std::optional<uint64_t> start_ns;
    std::optional<std::string> cgroup;
    std::map<int, uint64_t> sockets; ///< descriptor → inode
  };

  std::map<uint32_t, Process> processes;
  mutable int searches = 0;
  mutable int last_hint = -1;

  [[nodiscard]] std::optional<std::string> name(uint32_t pid) const override {
    const auto found = processes.find(pid);
    return found == processes.end() ? std::nullopt : std::optional{found->second.name};
  }

  [[nodiscard]] std::optional<uint64_t> start_ns(uint32_t pid) const override {
    const auto found = processes.find(pid);
    return found == processes.end() ? std::nullopt : found->second.start_ns;
  }

  [[nodiscard]] std::optional<std::string> cgroup(uint32_t pid) const override {
    const auto found = processes.find(pid);
    return found == processes.end() ? std::nullopt : found->second.cgroup;
  }

  [[nodiscard]] std::optional<int> find_socket(uint32_t pid, uint64_t inode,
                                               int hint) const override {
    ++searches;
    last_hint = hint;
    const auto process = processes.find(pid);
    if (process == processes.end())
      return std::nullopt;
    for (const auto& [fd, candidate] : process->second.sockets) {
      if (candidate == inode)
        return fd;
    }
    return -1;
  }
};

} // namespace acceptwatch::unit
