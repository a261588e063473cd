// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "events/blind_spot.h"
#include "events/waits.h"
#include "kernel/availability.h"
#include "kernel/features.h"

#include <array>
#include <string>
#include <vector>

namespace acceptwatch {

/// What to load, and what that leaves out: a pure function of what was found.
struct Plan {
  aw_source tier = AW_SOURCE_POLL;
  /// Program names in the tier's object (direct.bpf.c, or probe.bpf.c of the
  /// kprobe tier), in the order of attaching. Empty: poll.
  std::vector<std::string> programs;
  /// Seeds listeners older than acceptwatch through the task-file iterator;
  /// otherwise by walking /proc.
  bool seed_by_iterator = false;
  /// It finds sockets by reading memory: before 5.11.
  bool seed_by_probe_reads = false;
  /// The iterator over threads shows where in the kernel they are.
  bool show_stacks = false;
  /// Arrivals may be counted while connections wait: where accept() is not seen.
  bool count_arrivals = false;
  /// Where nf_tables is: chains that drop packets can be watched.
  std::optional<NetfilterTypes> netfilter;
  /// Attach give_cookie of seed.bpf.c first.
  bool give_cookies = false;
  aw_config config{}; ///< all but the filters
  /// By the running kernel's number of a drop reason: enum aw_drop_class.
  std::array<__u8, AW_MAX_DROP_REASONS> drop_classes{};
  std::string cgroup_mount; ///< where the packet hook goes; empty: it is not used
  std::vector<BlindSpot> blind;
};

/// The best tier, or the one that was asked for: it is used or refused, never
/// replaced. Polling is only ever chosen by name: it sees too little to be
/// mistaken for the rest.
[[nodiscard]] Result<Plan> make_plan(const Features& features, std::optional<aw_source> wanted);

/// What a snapshot of listeners needs: the task-file iterator alone. The error says
/// why it is not to be had.
[[nodiscard]] Result<Plan> seed_plan(const Features& features);

/// The tiers, best first.
inline constexpr aw_source all_tiers[] = {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT,
                                          AW_SOURCE_POLL};

} // namespace acceptwatch
