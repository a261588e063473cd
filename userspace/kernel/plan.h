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

/// What to load, and what stays invisible then.
struct Plan {
  aw_source tier = AW_SOURCE_POLL;
  /// Program names in the tier's object (direct.bpf.c, or probe.bpf.c of the
  /// kprobe tier), in the order of attaching. Empty: poll.
  std::vector<std::string> programs;
  /// Seeds listeners older than acceptwatch through the task-file iterator;
  /// otherwise by walking /proc.
  bool seed_by_iterator = false;
  /// The iterator finds sockets by reading memory, as it must before 5.11.
  bool seed_by_probe_reads = false;
  /// The iterator over threads shows where in the kernel they are.
  bool show_stacks = false;
  /// Arrivals may be counted while connections wait: where accept() is not seen.
  bool count_arrivals = false;
  /// Present where chains of nf_tables that drop packets can be watched.
  std::optional<NetfilterTypes> netfilter;
  /// Attach give_cookie of seed.bpf.c first.
  bool give_cookies = false;
  aw_config config{}; ///< all but the filters
  /// By the running kernel's number of a drop reason: enum aw_drop_class.
  std::array<__u8, AW_MAX_DROP_REASONS> drop_classes{};
  std::string cgroup_mount; ///< where the packet hook goes; empty: it is not used
  std::vector<BlindSpot> blind;
};

/// A plan for the `wanted` tier, or an error if it does not work here; it is never replaced by
/// another. Without a wish, the best tier that works, but never polling, which sees too little.
/// `after_accept`: connections that their owner closes at once are wanted as well.
[[nodiscard]] Result<Plan> make_plan(const Features& features, std::optional<aw_source> wanted,
                                     bool after_accept = false);

/// A plan for a snapshot of listeners: the task-file iterator alone. The error says why it cannot
/// be used.
[[nodiscard]] Result<Plan> seed_plan(const Features& features);

/// The tiers, best first.
inline constexpr aw_source all_tiers[] = {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT,
                                          AW_SOURCE_POLL};

} // namespace acceptwatch
