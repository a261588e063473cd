// SPDX-License-Identifier: Apache-2.0
// What dropped packets tell, by the running kernel's drop reasons.
#include "kernel/plan_parts.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// Reasons of the kernel (enum skb_drop_reason) that are a packet of a handshake
/// refused by something else than a queue.
aw_drop_class class_of(std::string_view drop_reason) {
  constexpr std::string_view prefix = "SKB_DROP_REASON_";
  if (!drop_reason.starts_with(prefix))
    return AW_DROP_IGNORED;
  drop_reason.remove_prefix(prefix.size());
  if (drop_reason == "NETFILTER_DROP")
    return AW_DROP_FIREWALL;
  if (drop_reason == "SOCKET_FILTER")
    return AW_DROP_SOCKET_FILTER;
  if (drop_reason == "SECURITY_HOOK")
    return AW_DROP_SECURITY_MODULE;
  if (drop_reason.starts_with("TCP_MD5") || drop_reason.starts_with("TCP_AO") ||
      drop_reason == "TCP_AUTH_HDR")
    return AW_DROP_AUTHENTICATION;
  for (const std::string_view other : {"TCP_MINTTL", "XFRM_POLICY", "IP_RPFILTER", "PFMEMALLOC"}) {
    if (drop_reason == other)
      return AW_DROP_OTHER;
  }
  return AW_DROP_IGNORED;
}

void set_class(Plan& plan, int drop_reason, aw_drop_class drop_class) {
  if (drop_reason >= 0 && drop_reason < AW_MAX_DROP_REASONS)
    plan.drop_classes[static_cast<size_t>(drop_reason)] = static_cast<__u8>(drop_class);
}

std::optional<int> drop_reason_named(const Features& features, std::string_view name) {
  const auto found = std::ranges::find(features.drop_reasons, name,
                                       [](const auto& reason) { return reason.second; });
  return found == features.drop_reasons.end() ? std::nullopt : std::optional{found->first};
}

void see_no_refusals(Plan& plan, aw_stage stage, const char* why) {
  for (const aw_reason reason : {AW_FIREWALL, AW_SOCKET_FILTER, AW_AUTHENTICATION})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, stage, why, {});
}

std::optional<int> overflow_reason(const Features& features) {
  return drop_reason_named(features, "SKB_DROP_REASON_TCP_LISTEN_OVERFLOW");
}

} // namespace

void add_drop_tracepoint(const Features& features, Plan& plan) {
  const unsigned arguments = plan.config.kfree_skb_args;
  const bool readable = plan.config.packet_access != AW_PACKETS_UNREADABLE;
  if (arguments < 3)
    return see_no_refusals(plan, AW_STAGE_NONE,
                           "skb:kfree_skb gives no reason on this kernel (5.17 does)");
  if (readable || plan.tier == AW_SOURCE_TRACEPOINT)
    add(plan, {arguments >= 4 ? "skb_drop" : "skb_drop_reason"});
  if (!readable)
    return see_no_refusals(plan, AW_STAGE_NONE, unreadable_packets);
  for (const auto& [number, name] : features.drop_reasons)
    set_class(plan, number, class_of(name));
  if (arguments < 4)
    see_no_refusals(plan, AW_STAGE_ACK,
                    "skb:kfree_skb does not name the listener on this kernel (6.11 does), and an "
                    "ACK may belong to any connection");
}

void read_dropped_acks(const Features& features, Plan& plan) {
  const auto overflow = overflow_reason(features);
  const auto unspecified = drop_reason_named(features, "SKB_DROP_REASON_NOT_SPECIFIED");
  const auto no_socket = drop_reason_named(features, "SKB_DROP_REASON_NO_SOCKET");
  set_class(plan, no_socket.value_or(-1), AW_DROP_NO_SOCKET);
  set_class(plan, unspecified.value_or(-1), AW_DROP_UNSPECIFIED);
  set_class(plan, overflow.value_or(-1), AW_DROP_OVERFLOW);
}

bool drops_tell_all(const Features& features, const Plan& plan) {
  return overflow_reason(features) && plan.config.kfree_skb_args >= 4 &&
         plan.config.packet_access != AW_PACKETS_UNREADABLE;
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

} // namespace acceptwatch
