// SPDX-License-Identifier: Apache-2.0
#include "probes/plan.h"

#include "events/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

constexpr std::array tracepoint_programs{"retransmit_synack", "send_reset",   "receive_reset",
                                         "process_fork",      "process_exec", "process_rename",
                                         "process_exit"};

constexpr const char* better_tier = "A kernel that allows fentry or kprobes shows it.";
constexpr const char* newer_version = "Look for a newer acceptwatch.";
constexpr const char* unreadable_packets =
    "lockdown=confidentiality forbids reading packets on this kernel (6.2 has a typed way)";

void add(Plan& plan, std::initializer_list<const char*> programs) {
  plan.programs.insert(plan.programs.end(), programs.begin(), programs.end());
}

void see_nothing_of(Plan& plan, aw_action action, aw_reason reason, aw_stage stage, std::string why,
                    std::string remedy) {
  plan.blind.push_back({action, reason, stage, {}, std::move(why), std::move(remedy)});
}

/// Arguments were added at the end: a number that is not known means a prototype
/// that nobody has looked at.
bool known_prototype(std::optional<unsigned> arguments) {
  return arguments == 6U || arguments == 7U;
}

void add_syn_stage(const Features& features, Plan& plan) {
  // The bracket's end comes first: an entry without its end would go stale.
  add(plan, {"conn_request_return"});
  if (!plan.config.reads_counters)
    add(plan, {"make_synack"});
  if (features.arguments_of("cookie_v4_init_sequence"))
    add(plan, {"v4_cookie_made"});
  else
    see_nothing_of(plan, AW_SYNCOOKIE_SENT, AW_REASON_NONE, AW_STAGE_NONE,
                   "this kernel has no cookie_v4_init_sequence() to attach to", {});
  if (features.arguments_of("cookie_v6_init_sequence"))
    add(plan, {"v6_cookie_made"});
  add(plan, {"conn_request"});
}

void add_ack_stage(const Features& features, Plan& plan) {
  const auto v4 = features.arguments_of("tcp_v4_syn_recv_sock");
  const auto v6 = features.arguments_of("tcp_v6_syn_recv_sock");
  const bool entries = plan.tier == AW_SOURCE_KPROBE;
  if (known_prototype(v4)) {
    plan.config.syn_recv_sock_args = static_cast<__u8>(*v4);
    add(plan, {"v4_syn_recv_sock_return"});
    if (entries)
      add(plan, {"v4_syn_recv_sock"});
  } else {
    for (const aw_stage stage : {AW_STAGE_ACK, AW_STAGE_COOKIE})
      see_nothing_of(plan, AW_LISTEN_DROP, AW_REASON_NONE, stage,
                     "tcp_v4_syn_recv_sock() has a prototype that this version does not know",
                     newer_version);
  }
  if (known_prototype(v4) && v6 == v4) {
    add(plan, {"v6_syn_recv_sock_return"});
    if (entries)
      add(plan, {"v6_syn_recv_sock"});
  } else if (v6) { // a kernel without it has no IPv6
    for (const aw_stage stage : {AW_STAGE_ACK, AW_STAGE_COOKIE})
      see_nothing_of(plan, AW_LISTEN_DROP, AW_REASON_NONE, stage,
                     "IPv6: tcp_v6_syn_recv_sock() has a prototype that this version does not know",
                     newer_version);
  }
}

/// Before 6.10 tcp:tcp_send_reset does not fire where there is no socket.
void add_function_resets(const Features& features, Plan& plan) {
  if (features.reset_reason)
    return;
  if (features.arguments_of("tcp_v4_send_reset"))
    add(plan, {"v4_send_reset"});
  else
    see_nothing_of(plan, AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_NONE,
                   "this kernel has no tcp_v4_send_reset() to attach to", {});
  if (features.arguments_of("tcp_v6_send_reset"))
    add(plan, {"v6_send_reset"});
}

/// SELinux and Smack can refuse a request whatever its packet. What else implements the
/// hook looks at marks that the packet has to carry (AppArmor), or at nothing.
bool may_refuse_requests(const Features& features) {
  const auto& modules = features.security_modules;
  return !modules || modules->find("selinux") != std::string::npos ||
         modules->find("smack") != std::string::npos;
}

/// Why no request could be made. The hook is on the way of every connection, so it is
/// left out where a counter tells of missing routes and nothing else is likely.
void add_security_program(const Features& features, Plan& plan) {
  if (plan.config.reads_counters && !may_refuse_requests(features))
    return see_nothing_of(plan, AW_LISTEN_DROP, AW_MEMORY, AW_STAGE_SYN,
                          "told apart only where a security module (SELinux, Smack) may refuse "
                          "requests; reported as request_failed",
                          {});
  if (features.arguments_of("security_inet_conn_request")) {
    add(plan, {"security_asked"});
    plan.config.sees_security_module = 1;
    return;
  }
  for (const aw_reason reason : {AW_MEMORY, AW_SECURITY_MODULE, AW_NO_ROUTE})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_SYN,
                   "this kernel has no security_inet_conn_request() to attach to: these are "
                   "request_failed",
                   {});
}

/// What becomes of requests in SYN_RECV. The timer's own functions know the listener
/// by a pointer that typed programs can follow since 6.2.
void add_request_programs(const Features& features, Plan& plan) {
  if (features.arguments_of("tcp_req_err") == 3U)
    add(plan, {"icmp_error"});
  const bool follows_pointers =
      plan.tier == AW_SOURCE_KPROBE || plan.config.packet_access == AW_PACKETS_CAST;
  if (follows_pointers && features.arguments_of("tcp_syn_ack_timeout") &&
      features.arguments_of("reqsk_timer_handler"))
    add(plan, {"request_timer_end", "request_timeout"});
  else if (!follows_pointers && features.arguments_of("__inet_csk_reqsk_queue_drop") == 3U)
    add(plan, {"request_expired"});
  else
    see_nothing_of(plan, AW_HANDSHAKE_EXPIRED, AW_REASON_NONE, AW_STAGE_NONE,
                   "before 5.14 the request's timer calls no function that shows the listener to "
                   "typed programs; kprobes see it",
                   "--probes kprobe; `synack_retransmit` shows the same handshakes before.");
}

/// A dropped RST that does not name the listener: inet_csk_reqsk_queue_drop() is on
/// the way of every connection, so it is only hooked where it has to be.
void add_dropped_requests(const Features& features, Plan& plan) {
  if (!features.arguments_of("inet_csk_reqsk_queue_drop"))
    return see_nothing_of(plan, AW_RESET_RECEIVED, AW_IN_HANDSHAKE, AW_STAGE_NONE,
                          "this kernel has no inet_csk_reqsk_queue_drop() to attach to",
                          newer_version);
  add(plan, {"request_dropped"});
  plan.config.sees_dropped_requests = 1;
}

void add_listener_programs(const Features& features, Plan& plan) {
  const auto arguments = features.arguments_of("inet_csk_listen_start");
  plan.config.listen_start_args = static_cast<__u8>(arguments.value_or(0));
  if (plan.tier == AW_SOURCE_KPROBE)
    add(plan, {"listen_started", "listen_start", "listen_stopped"});
  else
    add(plan, {"listen_started", "listen_started_again", "listen_started_at_last", "listen_stopped",
               "listen_stopped_again", "listen_stopped_at_last"});
}

/// Reasons of the kernel (enum skb_drop_reason) that are a packet of a handshake
/// refused by something else than a queue.
aw_reason refusal_of(std::string_view drop_reason) {
  constexpr std::string_view prefix = "SKB_DROP_REASON_";
  if (!drop_reason.starts_with(prefix))
    return AW_REASON_NONE;
  drop_reason.remove_prefix(prefix.size());
  if (drop_reason == "NETFILTER_DROP")
    return AW_FIREWALL;
  if (drop_reason == "SOCKET_FILTER")
    return AW_SOCKET_FILTER;
  if (drop_reason == "SECURITY_HOOK")
    return AW_SECURITY_MODULE;
  if (drop_reason.starts_with("TCP_MD5") || drop_reason.starts_with("TCP_AO") ||
      drop_reason == "TCP_AUTH_HDR")
    return AW_AUTHENTICATION;
  for (const std::string_view other : {"TCP_MINTTL", "XFRM_POLICY", "IP_RPFILTER", "PFMEMALLOC"}) {
    if (drop_reason == other)
      return AW_OTHER;
  }
  return AW_REASON_NONE;
}

void set_meaning(Plan& plan, int drop_reason, aw_reason meaning) {
  if (drop_reason >= 0 && drop_reason < AW_MAX_DROP_REASONS)
    plan.drop_reasons[static_cast<size_t>(drop_reason)] = static_cast<__u8>(meaning);
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

/// skb:kfree_skb, with a reason since 5.17 and with the socket since 6.11. The
/// tracepoint tier has more use for it: add_dropped_acks().
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
    set_meaning(plan, number, refusal_of(name));
  if (arguments < 4)
    see_no_refusals(plan, AW_STAGE_ACK,
                    "skb:kfree_skb does not name the listener on this kernel (6.11 does), and an "
                    "ACK may belong to any connection");
}

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
  see_nothing_of(plan, AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_SYN, why, remedy);
  see_nothing_of(plan, AW_SYNCOOKIE_SENT, AW_REASON_NONE, AW_STAGE_NONE, why, remedy);
}

std::optional<int> overflow_reason(const Features& features) {
  return drop_reason_named(features, "SKB_DROP_REASON_TCP_LISTEN_OVERFLOW");
}

void read_dropped_acks(const Features& features, Plan& plan) {
  const auto overflow = overflow_reason(features);
  const auto unspecified = drop_reason_named(features, "SKB_DROP_REASON_NOT_SPECIFIED");
  const auto no_socket = drop_reason_named(features, "SKB_DROP_REASON_NO_SOCKET");
  set_meaning(plan, no_socket.value_or(-1), AW_NO_LISTENER);
  set_meaning(plan, unspecified.value_or(-1), AW_IN_HANDSHAKE);
  set_meaning(plan, overflow ? *overflow : unspecified.value_or(-1), AW_ACCEPT_QUEUE_FULL);
}

/// A dropped packet names both its listener and an overflow: 6.15. Then nothing on
/// the way of the connections that succeed has to be hooked for those that do not.
bool drops_tell_all(const Features& features, const Plan& plan) {
  return overflow_reason(features) && plan.config.kfree_skb_args >= 4 &&
         plan.config.packet_access != AW_PACKETS_UNREADABLE;
}

void add_function_programs(const Features& features, Plan& plan) {
  add_syn_stage(features, plan);
  if (drops_tell_all(features, plan)) {
    read_dropped_acks(features, plan);
  } else {
    add_ack_stage(features, plan);
    add_dropped_requests(features, plan);
  }
  add_request_programs(features, plan);
  add_security_program(features, plan);
  add_function_resets(features, plan);
  add_listener_programs(features, plan);
  if (features.arguments_of("inet_csk_accept"))
    add(plan, {"accept_called"});
}

/// What functions show in the better tiers, by the reason of a dropped packet.
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
  if (arguments == 3 && no_socket)
    set_meaning(plan, *no_socket, AW_NO_LISTENER);
  else
    see_nothing_of(plan, AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_NONE,
                   "before 6.10 tcp:tcp_send_reset is silent where there is no socket",
                   better_tier);
}

void add_tracepoint_programs(const Features& features, Plan& plan) {
  add(plan, {"set_state", "set_state_again", "set_state_at_last"});
  add_ingress(features, plan);
  add_dropped_acks(features, plan);
  for (const aw_reason reason : {AW_REQUEST_FAILED, AW_NO_ROUTE, AW_MEMORY})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE,
                   "the packet hook runs before the kernel tries, and sees full queues only",
                   better_tier);
  see_nothing_of(plan, AW_LISTEN_DROP, AW_SECURITY_MODULE, AW_STAGE_SYN,
                 "the packet hook runs before the security module is asked", better_tier);
  see_nothing_of(plan, AW_HANDSHAKE_EXPIRED, AW_REASON_NONE, AW_STAGE_NONE,
                 "no tracepoint is in the request's timer", better_tier);
}

/// Where headers cannot be read, a record still names the listener.
void note_unreadable_packets(Plan& plan) {
  const auto hide = [&](aw_action action, aw_reason reason, aw_stage stage,
                        std::initializer_list<const char*> fields) {
    for (const char* field : fields)
      plan.blind.push_back({action, reason, stage, field, unreadable_packets, {}});
  };
  const auto hide_ends = [&](aw_action action, aw_reason reason, aw_stage stage) {
    hide(action, reason, stage,
         {"client.address", "client.port", "server.address", "network.type"});
  };
  if (plan.tier != AW_SOURCE_TRACEPOINT) { // there the cgroup hook is given the packet
    hide_ends(AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_SYN);
    hide_ends(AW_SYNCOOKIE_SENT, AW_REASON_NONE, AW_STAGE_NONE);
  }
  hide_ends(AW_LISTEN_DROP, AW_COOKIE_INVALID, AW_STAGE_NONE);
  for (const aw_reason reason : {AW_ABORT_ON_OVERFLOW, AW_HANDSHAKE_INVALID, AW_NO_LISTENER})
    hide_ends(AW_RESET_SENT, reason, AW_STAGE_NONE);
  hide(AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_NONE, {"server.port"});
  // A new name is read from /proc afterwards, if the process is still there.
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action)
    hide(static_cast<aw_action>(action), AW_REASON_NONE, AW_STAGE_NONE, {"process.name"});
}

aw_packet_access packet_access(const Features& features, aw_source tier) {
  if (features.rdonly_cast && tier != AW_SOURCE_KPROBE) // the cheaper one: no call
    return AW_PACKETS_CAST;
  return features.probe_read.ok ? AW_PACKETS_PROBE_READ : AW_PACKETS_UNREADABLE;
}

void fill_config(const Features& features, Plan& plan) {
  aw_config& config = plan.config;
  const auto count = [&](const char* name) {
    return static_cast<__u8>(features.arguments_of(name).value_or(0));
  };
  config.source = static_cast<__u8>(plan.tier);
  config.packet_access = static_cast<__u8>(packet_access(features, plan.tier));
  config.syn_full_at_limit = features.syn_full_at_limit.value_or(false);
  config.can_make_cookies = features.socket_cookie && features.tp_btf.ok;
  config.send_reset_args = count("tp:tcp_send_reset");
  config.kfree_skb_args = count("tp:kfree_skb");
  config.hz = features.hz;
  config.reads_counters = features.listen_drops && features.no_routes && features.this_cpu_off &&
                          config.packet_access != AW_PACKETS_UNREADABLE;
  config.listen_drops = static_cast<__u16>(features.listen_drops.value_or(0));
  config.no_routes = static_cast<__u16>(features.no_routes.value_or(0));
  config.actions = ~0U;
}

void note_missing_cookies(const Features& features, Plan& plan) {
  plan.give_cookies = plan.tier == AW_SOURCE_KPROBE && plan.config.can_make_cookies;
  if (plan.config.can_make_cookies)
    return;
  const char* why = features.socket_cookie
                        ? "typed programs, which could make socket cookies, are refused here"
                        : "before 5.12 a tracing program cannot make a socket's cookie";
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action)
    plan.blind.push_back({static_cast<aw_action>(action), AW_REASON_NONE, AW_STAGE_NONE,
                          "acceptwatch.socket", why, "`ss -e` makes them, once."});
}

bool has_iterator(const Features& features) {
  return features.iterator.ok && features.sock_from_file;
}

Plan bpf_plan(const Features& features, aw_source tier) {
  Plan plan;
  plan.tier = tier;
  fill_config(features, plan);
  note_missing_cookies(features, plan);
  plan.seed_by_iterator = has_iterator(features);
  add_drop_tracepoint(features, plan);
  if (tier == AW_SOURCE_TRACEPOINT)
    add_tracepoint_programs(features, plan);
  else
    add_function_programs(features, plan);
  plan.programs.insert(plan.programs.end(), tracepoint_programs.begin(), tracepoint_programs.end());
  if (plan.config.packet_access == AW_PACKETS_UNREADABLE)
    note_unreadable_packets(plan);
  return plan;
}

Plan poll_plan() {
  Plan plan;
  plan.tier = AW_SOURCE_POLL;
  constexpr const char* remedy = "Every tier with BPF shows it.";
  see_nothing_of(plan, AW_SYNACK_RETRANSMIT, AW_REASON_NONE, AW_STAGE_NONE,
                 "the kernel counts SYN-ACKs and SYNs sent again as one number", remedy);
  see_nothing_of(plan, AW_RESET_SENT, AW_REASON_NONE, AW_STAGE_NONE,
                 "the kernel counts all resets as one number", remedy);
  see_nothing_of(plan, AW_HANDSHAKE_EXPIRED, AW_REASON_NONE, AW_STAGE_NONE,
                 "no counter of the kernel is for this alone", remedy);
  see_nothing_of(plan, AW_RESET_RECEIVED, AW_REASON_NONE, AW_STAGE_NONE,
                 "no counter of the kernel is for this alone", remedy);
  for (const aw_reason reason :
       {AW_SYN_BACKLOG_RESERVED, AW_REQUEST_FAILED, AW_COOKIE_INVALID, AW_FIREWALL,
        AW_SOCKET_FILTER, AW_AUTHENTICATION, AW_SECURITY_MODULE, AW_NO_ROUTE, AW_MEMORY, AW_OTHER})
    see_nothing_of(plan, AW_LISTEN_DROP, reason, AW_STAGE_NONE,
                   "no counter of the kernel is for this alone", remedy);
  see_nothing_of(plan, AW_SYNCOOKIE_SENT, AW_ALWAYS, AW_STAGE_NONE,
                 "the kernel counts all cookies as one number", remedy);
  for (const aw_action action : {AW_LISTEN_DROP, AW_SYNCOOKIE_SENT}) {
    for (const char* field :
         {"client.address", "client.port", "server.address", "acceptwatch.stage"})
      plan.blind.push_back(
          {action, AW_REASON_NONE, AW_STAGE_NONE, field, "counters know no packet", remedy});
  }
  return plan;
}

} // namespace

Result<Plan> seed_plan(const Features& features) {
  if (!features.cap_bpf || !features.cap_perfmon)
    return failure(missing_capabilities(features), "Run it as root: sudo acceptwatch list.",
                   ExitStatus::privileges);
  if (features.btf != BtfSource::kernel)
    return failure("this kernel carries no type information (BTF)",
                   "A kernel with CONFIG_DEBUG_INFO_BTF is needed.", ExitStatus::kernel);
  if (!features.sock_from_file)
    return failure("this kernel has no bpf_sock_from_file()", "Linux 5.11 and newer have it.",
                   ExitStatus::kernel);
  if (!features.iterator.ok)
    return failure(refused("loading a task-file iterator", features.iterator),
                   "`acceptwatch check` says what this kernel allows.", ExitStatus::kernel);
  Plan plan;
  fill_config(features, plan);
  plan.seed_by_iterator = true;
  return plan;
}

Result<Plan> make_plan(const Features& features, std::optional<aw_source> wanted) {
  if (wanted == AW_SOURCE_POLL)
    return poll_plan();
  std::optional<Error> first;
  for (const aw_source tier : all_tiers) {
    if (tier == AW_SOURCE_POLL || (wanted && tier != *wanted))
      continue;
    const auto [available, why] = availability(features, tier);
    if (available)
      return bpf_plan(features, tier);
    if (!first || why.status == ExitStatus::privileges)
      first = why;
  }
  if (wanted)
    first->what = fmt::format("--probes {}: {}", name_of(*wanted), first->what);
  return tl::unexpected{*first};
}

} // namespace acceptwatch
