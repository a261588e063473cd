// SPDX-License-Identifier: Apache-2.0
// What dropped packets tell, by the running kernel's drop reasons.
#include "kernel/plan_parts.h"

#include <algorithm>
#include <array>

namespace acceptwatch {
namespace {

constexpr std::string_view prefix = "SKB_DROP_REASON_";

/// A reason of the kernel's (enum skb_drop_reason) for which a packet of a handshake is refused by
/// something else than a queue. With a `*` at its end: each that begins so.
struct DropReason {
  std::string_view name;
  aw_reason means;
};

constexpr std::array drop_reasons{
    DropReason{"NETFILTER_DROP", AW_FIREWALL},
    DropReason{"SOCKET_FILTER", AW_SOCKET_FILTER},
    DropReason{"SECURITY_HOOK", AW_SECURITY_MODULE},
    DropReason{"TCP_MD5*", AW_AUTHENTICATION},
    DropReason{"TCP_AO*", AW_AUTHENTICATION},
    DropReason{"TCP_AUTH_HDR", AW_AUTHENTICATION},
    DropReason{"TC_INGRESS", AW_TRAFFIC_CONTROL},
    DropReason{"TC_EGRESS", AW_TRAFFIC_CONTROL},
    DropReason{"TC_CHAIN_NOTFOUND", AW_TRAFFIC_CONTROL},
    DropReason{"TC_RECLASSIFY_LOOP", AW_TRAFFIC_CONTROL},
    DropReason{"QDISC_*", AW_TRAFFIC_CONTROL},
    DropReason{"CAKE_*", AW_TRAFFIC_CONTROL},
    DropReason{"FQ_*", AW_TRAFFIC_CONTROL},
    DropReason{"XDP", AW_XDP},
    DropReason{"BPF_CGROUP_EGRESS", AW_CGROUP_PROGRAM},
    DropReason{"IP_RPFILTER", AW_REVERSE_PATH},
    DropReason{"OTHERHOST", AW_NOT_LOCAL},
    DropReason{"IP_INADDRERRORS", AW_NOT_LOCAL},
    DropReason{"IP_INNOROUTES", AW_NOT_LOCAL},
    DropReason{"IP_LOCALNET", AW_ROUTE_LOCALNET},
    DropReason{"IP_OUTNOROUTES", AW_NO_ROUTE},
    DropReason{"NEIGH_*", AW_NEIGHBOUR},
    DropReason{"TCP_CSUM", AW_CHECKSUM},
    DropReason{"IP_CSUM", AW_CHECKSUM},
    DropReason{"SKB_CSUM", AW_CHECKSUM},
    DropReason{"CPU_BACKLOG", AW_CPU_BACKLOG},
    DropReason{"TCP_RFC7323_TW_PAWS", AW_OLD_CONNECTION},
    DropReason{"TCP_INVALID_SYN", AW_OLD_CONNECTION},
    DropReason{"TCP_RFC7323_PAWS", AW_TIMESTAMPS},
    DropReason{"TCP_RFC7323_TSECR", AW_TIMESTAMPS},
    DropReason{"TCP_OVERWINDOW", AW_WINDOW},
    DropReason{"TCP_MINTTL", AW_OTHER},
    DropReason{"XFRM_POLICY", AW_OTHER},
    DropReason{"PFMEMALLOC", AW_OTHER},
    DropReason{"IP_LOCAL_SOURCE", AW_OTHER},
    DropReason{"IP_INVALID_SOURCE", AW_OTHER},
};

bool is(std::string_view name, const DropReason& reason) {
  return reason.name.ends_with('*')
             ? name.starts_with(reason.name.substr(0, reason.name.size() - 1))
             : name == reason.name;
}

/// AW_REASON_NONE: of no interest.
aw_reason meaning_of(std::string_view drop_reason) {
  if (!drop_reason.starts_with(prefix))
    return AW_REASON_NONE;
  drop_reason.remove_prefix(prefix.size());
  const auto* found = std::ranges::find_if(
      drop_reasons, [&](const DropReason& reason) { return is(drop_reason, reason); });
  return found == drop_reasons.end() ? AW_REASON_NONE : found->means;
}

void set_class(Plan& plan, int drop_reason, int drop_class) {
  if (drop_reason >= 0 && drop_reason < AW_MAX_DROP_REASONS)
    plan.drop_classes[static_cast<size_t>(drop_reason)] = static_cast<__u8>(drop_class);
}

std::optional<int> drop_reason_named(const Features& features, std::string_view name) {
  const auto found = std::ranges::find(features.drop_reasons, name,
                                       [](const auto& reason) { return reason.second; });
  return found == features.drop_reasons.end() ? std::nullopt : std::optional{found->first};
}

void see_no_refusals(Plan& plan, const char* why) {
  for (const aw_reason reason : refusals_by_drop_reason)
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE, why, {});
}

/// What is refused before the packet has met its socket shows in the packet alone.
void see_no_acks_before_their_socket(Plan& plan) {
  for (const aw_reason reason : {AW_TRAFFIC_CONTROL, AW_XDP, AW_CPU_BACKLOG})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_ACK,
                   "an ACK that has not met its socket may belong to any connection", {});
}

/// Without the listener in skb:kfree_skb, what is refused there shows in the packet alone.
void see_no_refusals_by_sockets(Plan& plan) {
  constexpr const char* why = "skb:kfree_skb does not name the listener on this kernel (6.11 "
                              "does), and an ACK may belong to any connection";
  for (const aw_reason reason : {AW_SOCKET_FILTER, AW_AUTHENTICATION})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_ACK, why, {});
  for (const aw_reason reason : {AW_TIMESTAMPS, AW_WINDOW, AW_OLD_CONNECTION})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE,
                   "skb:kfree_skb does not name the socket on this kernel (6.11 does)", {});
  see_nothing_of(plan, AW_LISTEN_DROP, AW_CGROUP_PROGRAM, AW_STAGE_SYN,
                 "told as socket_filter: skb:kfree_skb does not name the listener (6.11 does)", {});
}

/// Refusals for which this kernel has no reason of its own.
void see_no_unnamed_refusals(const Features& features, Plan& plan) {
  for (const aw_reason reason : refusals_by_drop_reason) {
    const bool named = std::ranges::any_of(
        features.drop_reasons, [&](const auto& one) { return meaning_of(one.second) == reason; });
    if (!named && reason != AW_NETFILTER_QUEUE)
      see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE,
                     "the kernel has no drop reason for it", {});
  }
}

std::optional<int> unspecified_reason(const Features& features) {
  return drop_reason_named(features, "SKB_DROP_REASON_NOT_SPECIFIED");
}

std::optional<int> overflow_reason(const Features& features) {
  return drop_reason_named(features, "SKB_DROP_REASON_TCP_LISTEN_OVERFLOW");
}

} // namespace

void add_drop_tracepoint(const Features& features, Plan& plan) {
  const unsigned arguments = plan.config.kfree_skb_args;
  const bool readable = plan.config.packet_access != AW_PACKETS_UNREADABLE;
  if (arguments < 3)
    return see_no_refusals(plan, "skb:kfree_skb gives no reason on this kernel (5.17 does)");
  if (readable || plan.tier == AW_SOURCE_TRACEPOINT)
    add(plan, {arguments >= 4 ? "skb_drop" : "skb_drop_reason"});
  if (!readable)
    return see_no_refusals(plan, unreadable_packets);
  for (const auto& [number, name] : features.drop_reasons)
    set_class(plan, number, meaning_of(name));
  set_class(plan, unspecified_reason(features).value_or(-1), AW_DROP_NO_REASON);
  see_no_unnamed_refusals(features, plan);
  see_no_acks_before_their_socket(plan);
  if (arguments < 4)
    see_no_refusals_by_sockets(plan);
}

void read_dropped_acks(const Features& features, Plan& plan) {
  const auto overflow = overflow_reason(features);
  const auto unspecified = unspecified_reason(features);
  const auto no_socket = drop_reason_named(features, "SKB_DROP_REASON_NO_SOCKET");
  set_class(plan, no_socket.value_or(-1), AW_DROP_NO_SOCKET);
  set_class(plan, unspecified.value_or(-1), AW_DROP_UNSPECIFIED);
  set_class(plan, overflow.value_or(-1), AW_DROP_OVERFLOW);
}

bool drops_tell_all(const Features& features, const Plan& plan) {
  return overflow_reason(features) && !features.refuses("skb_drop") &&
         plan.config.kfree_skb_args >= 4 && plan.config.packet_access != AW_PACKETS_UNREADABLE;
}

void add_dropped_acks(const Features& features, Plan& plan) {
  const auto no_socket = drop_reason_named(features, "SKB_DROP_REASON_NO_SOCKET");
  const unsigned arguments = plan.config.kfree_skb_args;
  if (arguments >= 4) {
    read_dropped_acks(features, plan);
  } else {
    constexpr const char* why =
        "skb:kfree_skb does not name the listener on this kernel (6.11 does)";
    for (const aw_stage stage : {AW_STAGE_ACK, AW_STAGE_COOKIE})
      see_nothing_of(plan, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, stage, why, better_tier);
    see_nothing_of(plan, AW_RESET_RECEIVED, AW_IN_HANDSHAKE, AW_STAGE_NONE, why, better_tier);
  }
  if (plan.config.send_reset_args >= 3)
    return;
  see_nothing_of(plan, AW_RESET_SENT, AW_OTHER, AW_STAGE_SYN,
                 "before 6.10 tcp:tcp_send_reset is silent where a connection is all but over",
                 better_tier);
  if (arguments == 3 && no_socket)
    set_class(plan, *no_socket, AW_DROP_NO_SOCKET);
  else
    see_nothing_of(plan, AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_NONE,
                   "before 6.10 tcp:tcp_send_reset is silent where there is no socket",
                   better_tier);
}

namespace {

void add_ingress(const Features& features, Plan& plan) {
  if (features.cgroup_skb.ok) {
    add(plan, {"syn_consumed", "syn_refused", "ingress"});
    plan.cgroup_mount = *features.cgroup_mount;
    return;
  }
  const std::string why = features.cgroup_mount
                              ? refused("attaching to the root cgroup", features.cgroup_skb)
                              : "no cgroup2 file system is mounted";
  const std::string remedy =
      features.cgroup_mount ? "CAP_NET_ADMIN is needed." : "Mount it: mount -t cgroup2 none /mnt";
  for (const aw_reason reason : {AW_ACCEPT_QUEUE_FULL, AW_SYN_QUEUE_FULL, AW_SYN_BACKLOG_RESERVED})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_SYN, why, remedy);
  for (const aw_action action : {AW_SYNCOOKIE_SENT, AW_QUEUE_PRESSURE})
    see_nothing_of(plan, action, AW_REASON_NONE, AW_STAGE_NONE, why, remedy);
}

} // namespace

void add_packet_hook(const Features& features, Plan& plan) {
  add_ingress(features, plan);
  plan.config.sees_overflows = drops_tell_all(features, plan);
  for (const aw_reason reason : {AW_REQUEST_FAILED, AW_NO_ROUTE, AW_MEMORY})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_SYN,
                   "the packet hook runs before the kernel tries, and sees full queues only",
                   better_tier);
  see_nothing_of(plan, AW_LISTEN_DROP, AW_SECURITY_MODULE, AW_STAGE_SYN,
                 "the packet hook runs before the security module is asked", better_tier);
}

} // namespace acceptwatch
