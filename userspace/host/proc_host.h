// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/file_reserve.h"
#include "host/host.h"
#include "host/procfs.h"

namespace acceptwatch {

/// What /proc and /sys answer, on every host. What the kernel programs know is added by those who
/// load them.
class ProcHost : public Host {
public:
  /// `root` is /proc, or a tree made like it.
  explicit ProcHost(const std::string& root = "/proc");

  [[nodiscard]] std::optional<std::string> name(uint32_t pid) const override;
  [[nodiscard]] std::optional<uint64_t> start_ns(uint32_t pid) const override;
  [[nodiscard]] std::optional<std::string> cgroup(uint32_t pid) const override;
  [[nodiscard]] std::optional<int> find_socket(uint32_t pid, uint64_t inode,
                                               int hint) const override;
  [[nodiscard]] std::optional<FileUsage> descriptors(uint32_t pid) const override;
  [[nodiscard]] bool may_exceed_file_max(uint32_t pid) const override;
  [[nodiscard]] std::optional<OwnerState>
  owner_state(const std::vector<uint32_t>& pids) const override;
  [[nodiscard]] std::optional<CookieCounts> cookies(uint32_t pid) const override;
  [[nodiscard]] std::optional<FileUsage> host_files() const override;
  [[nodiscard]] NetCounterLook net_counters(std::optional<uint32_t> only,
                                            const NetReadings& before) const override;
  [[nodiscard]] std::vector<uint32_t> mounted_namespaces() const override;
  /// By a walk through /proc, which shows no queue.
  [[nodiscard]] ListenerLook
  look(const std::function<void(const aw_holder&)>& visit) const override;

protected:
  /// Files to be opened while a look lasts, though the host has none left.
  [[nodiscard]] FileReserve::Lent lend_files() const { return reserve_.lend(); }
  /// Where in the kernel the threads of these processes are: the few most frequent stacks. Empty:
  /// that is not to be had.
  [[nodiscard]] virtual std::vector<KernelStack> stacks(const std::vector<uint32_t>& pids) const;

private:
  const ProcFs procfs_;
  mutable FileReserve reserve_{procfs_};
};

} // namespace acceptwatch
