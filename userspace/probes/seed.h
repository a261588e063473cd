// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/plan.h"

#include <functional>
#include <memory>

struct bpf_object;
struct bpf_program;

namespace acceptwatch {

/// The BPF object seed.bpf.c: an iterator over the descriptors of all processes that finds
/// listeners, and one over threads; the program that gives new listeners their cookie; the one that
/// counts arriving connections; and those that watch chains of the firewall.
class Seed {
public:
  Seed();
  ~Seed();
  Seed(const Seed&) = delete;
  Seed& operator=(const Seed&) = delete;

  /// Opens the object if the plan needs any of its programs. `btf_file` may be null.
  [[nodiscard]] Result<void> open(const Plan& plan, const char* btf_file);
  /// Null before open(), and if the plan needs none of its programs.
  [[nodiscard]] bpf_object* object() const;
  /// Loads the programs that the plan needs. They share maps with the main programs: the holders of
  /// listeners, so that a process that forks just after it was scanned is not missed, and the
  /// packet that was refused. `main` is null where there are no main programs.
  [[nodiscard]] Result<void> load(const Plan& plan, bpf_object* main);

  /// To be attached by the caller. Null if the plan does not need it.
  [[nodiscard]] bpf_program* give_cookie() const;

  /// Whether the iterator over descriptors was loaded.
  [[nodiscard]] bool can_scan() const;
  /// Calls `visit` for each descriptor that is a listener. May be repeated.
  [[nodiscard]] Result<void> scan(const std::function<void(const aw_holder&)>& visit) const;

  /// Adds the few most frequent stacks of the threads of these processes, 16 of them at most, and
  /// that of the thread that is told of.
  /// Empty: the plan does not need them, or no thread sleeps.
  void add_stacks(const std::vector<uint32_t>& pids, ThreadStates& threads) const;

  /// See KernelControl and Host. The program that counts is attached while there is a place to
  /// count at.
  [[nodiscard]] bool count_arrivals(const aw_place& place);
  void stop_counting(const aw_place& place);
  [[nodiscard]] uint64_t arrivals(const aw_place& place) const;
  void watch_chains(bool watch);
  [[nodiscard]] std::optional<Chain> chain(uint64_t id) const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace acceptwatch
