// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/plan.h"

#include <functional>
#include <memory>

struct bpf_object;
struct bpf_program;

namespace acceptwatch {

/// The seeding object: the iterators over all descriptors of all processes that
/// are listeners, and over threads; the program that gives new listeners their cookie; the one
/// that counts connections, and the one that watches chains of the firewall.
class Seed {
public:
  Seed();
  ~Seed();
  Seed(const Seed&) = delete;
  Seed& operator=(const Seed&) = delete;

  /// Opens it where the plan wants something of it. `btf_file` may be null.
  [[nodiscard]] Result<void> open(const Plan& plan, const char* btf_file);
  /// Null before open(), and where the plan wants nothing of it.
  [[nodiscard]] bpf_object* object() const;
  /// Loads what the plan wants. It shares maps with the object of the main programs: who holds
  /// listeners, so that a process that forks just after it was scanned is not missed; and which
  /// packet was refused. Null: there are no main programs.
  [[nodiscard]] Result<void> load(const Plan& plan, bpf_object* main);

  /// Null where the plan does not want it. Its caller attaches it.
  [[nodiscard]] bpf_program* give_cookie() const;

  /// The iterator was loaded.
  [[nodiscard]] bool can_scan() const;
  /// Calls `visit` for each descriptor that is a listener. May be repeated.
  [[nodiscard]] Result<void> scan(const std::function<void(const aw_holder&)>& visit) const;

  /// The few most frequent stacks of the threads of these processes, 16 of them at most.
  /// Empty: the plan does not want them, or none of them sleeps.
  [[nodiscard]] std::vector<KernelStack> stacks(const std::vector<uint32_t>& pids) const;

  /// As in Source. The program is attached while there is a place at which it counts.
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
