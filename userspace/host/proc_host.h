// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/budget.h"
#include "host/clock.h"
#include "host/file_reserve.h"
#include "host/host.h"
#include "host/procfs.h"
#include "host/translations.h"

namespace acceptwatch {

/// A Host that reads /proc and /sys alone. Session, which loads BPF programs, adds what only they
/// know. All looks have one budget: what it does not allow is not looked at, counted in
/// left_out(), and answered as not known.
class ProcHost : public Host {
public:
  /// `root` is /proc, or a tree made like it.
  explicit ProcHost(const std::string& root = "/proc");

  /// What may go into looks from here on, of one CPU. Before, as much as they take: nothing can
  /// begin without.
  void limit_looks(double share) { budget_.emplace(share); }

  /// From here on translations() knows of connections for that port of a network namespace (its
  /// inode; absent: of this process's own).
  void follow_translations(std::optional<uint32_t> netns, uint16_t port) {
    translations_ = TranslationReader::open(procfs_, netns, port);
  }

  [[nodiscard]] std::optional<std::string> name(uint32_t pid) const override;
  [[nodiscard]] std::optional<uint64_t> start_ns(uint32_t pid) const override;
  [[nodiscard]] std::optional<std::string> cgroup(uint32_t pid) const override;
  [[nodiscard]] std::optional<int> find_socket(uint32_t pid, uint64_t inode,
                                               int hint) const override;
  [[nodiscard]] std::optional<FileUsage> descriptors(uint32_t pid) const override;
  [[nodiscard]] bool may_exceed_file_max(uint32_t pid) const override;
  [[nodiscard]] std::optional<OwnerState> owner_state(const OwnerQuestion& asked) const override;
  [[nodiscard]] std::optional<CookieCounts> cookies(uint32_t pid) const override;
  [[nodiscard]] std::optional<ConntrackTable> conntrack(uint32_t pid) const override;
  [[nodiscard]] std::vector<Translation> translations() const override;
  [[nodiscard]] std::optional<FileUsage> host_files() const override;
  [[nodiscard]] NetCounterLook net_counters(std::optional<uint32_t> only,
                                            const NetReadings& before) const override;
  [[nodiscard]] std::vector<uint32_t> mounted_namespaces() const override;
  /// Walks through /proc, which does not show the queues of listeners.
  [[nodiscard]] ListenerLook
  look(const std::function<void(const aw_holder&)>& visit) const override;

protected:
  /// Charges the CPU time from here to its end.
  class [[nodiscard]] Spending {
  public:
    explicit Spending(std::optional<Budget>& budget) : budget_(budget) {}
    Spending(const Spending&) = delete;
    Spending& operator=(const Spending&) = delete;
    ~Spending() {
      if (budget_)
        budget_->spend(Clock::cpu_now() - begun_ns_);
    }

  private:
    std::optional<Budget>& budget_;
    uint64_t begun_ns_ = Clock::cpu_now();
  };
  [[nodiscard]] const ProcFs& procfs() const { return procfs_; }
  [[nodiscard]] Spending spending() const { return Spending{budget_}; }
  /// False: it is not looked, which is counted.
  [[nodiscard]] bool may_look() const;
  [[nodiscard]] uint64_t left_out() const { return left_out_; }
  /// Of a look at all listeners for which there is no time.
  [[nodiscard]] static ListenerLook refused_look();
  /// Makes it possible to open files during a look, even if the host has none left.
  [[nodiscard]] FileReserve::Lease lease_files() const { return reserve_.lease(); }
  /// Adds the most frequent kernel stacks of the threads of these processes, and that of the thread
  /// that is told of, where they can be read.
  virtual void add_stacks(const std::vector<uint32_t>& pids, ThreadStates& threads) const;

private:
  const ProcFs procfs_;
  mutable FileReserve reserve_{procfs_};
  mutable uint64_t next_counterpart_ns_ = 0; ///< see add_counterpart()
  mutable std::optional<Budget> budget_;
  mutable uint64_t left_out_ = 0;
  mutable std::optional<TranslationReader> translations_;
};

} // namespace acceptwatch
