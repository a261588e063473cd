// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/plan.h"

#include <array>

namespace acceptwatch {

// The parts of make_plan(). For kernel/plan*.cpp only.

inline constexpr const char* better_tier = "A kernel that allows fentry or kprobes shows it.";
inline constexpr const char* newer_version = "Look for a newer acceptwatch.";
inline constexpr const char* unreadable_packets =
    "lockdown=confidentiality forbids reading packets on this kernel (6.2 has a typed way)";

/// Reasons of listen_drop that drop reasons of the kernel tell.
inline constexpr std::array refusals_by_drop_reason{
    AW_FIREWALL,  AW_SOCKET_FILTER,  AW_AUTHENTICATION, AW_NETFILTER_QUEUE, AW_TRAFFIC_CONTROL,
    AW_XDP,       AW_CGROUP_PROGRAM, AW_REVERSE_PATH,   AW_NOT_LOCAL,       AW_ROUTE_LOCALNET,
    AW_NEIGHBOUR, AW_CHECKSUM,       AW_CPU_BACKLOG,    AW_OLD_CONNECTION,  AW_TIMESTAMPS,
    AW_WINDOW};

inline void add(Plan& plan, std::initializer_list<const char*> programs) {
  plan.programs.insert(plan.programs.end(), programs.begin(), programs.end());
}

inline void see_nothing_of(Plan& plan, aw_action action, aw_reason reason, aw_stage stage,
                           std::string why, std::string remedy) {
  plan.blind.push_back({action, reason, stage, {}, std::move(why), std::move(remedy)});
}

/// What somebody asks for by an option of its own is out of nobody's sight without it.
inline bool may_be_told(const Plan& plan, int action) {
  return action != AW_CLOSED_AFTER_ACCEPT || plan.config.after_accept;
}

/// Functions on the listen path: tiers fentry and kprobe.
void add_function_programs(const Features& features, Plan& plan);

/// skb:kfree_skb, with a reason since 5.17 and with the socket since 6.11. The
/// tracepoint tier has more use for it: add_dropped_acks().
void add_drop_tracepoint(const Features& features, Plan& plan);

/// Whether a dropped packet names both its listener and an overflow (6.15). Then no function that
/// successful connections pass through has to be hooked to see failing ones.
[[nodiscard]] bool drops_tell_all(const Features& features, const Plan& plan);

/// Reports ACKs and RSTs that were dropped at a listener, by the kernel's drop reason.
void read_dropped_acks(const Features& features, Plan& plan);

/// The packet hook of the root cgroup, which foresees what becomes of a SYN.
void add_packet_hook(const Features& features, Plan& plan);

/// Takes away the programs that the kernel refuses, and what says nothing without them; notes what
/// is out of sight then.
void leave_out_refused(const Features& features, Plan& plan);

/// Reports, by the kernel's drop reason, what the better tiers see in functions.
void add_dropped_acks(const Features& features, Plan& plan);

} // namespace acceptwatch
