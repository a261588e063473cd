// SPDX-License-Identifier: Apache-2.0
#include "kernel/plan_parts.h"

namespace acceptwatch {
namespace {

/// Kernels have added arguments at the end. Another number of them is a prototype for which these
/// programs were not written.
bool known_prototype(unsigned arguments) { return arguments == 6 || arguments == 7; }

void add_syn_stage(const Features& features, Plan& plan) {
  const bool refused = features.refuses("conn_request") || features.refuses("conn_request_return");
  if (refused && plan.tier == AW_SOURCE_FENTRY && features.cgroup_skb.ok &&
      !features.refuses("ingress") && !features.refuses("syn_consumed") &&
      !features.refuses("syn_refused"))
    return add_packet_hook(features, plan);
  // The program at the function's return is attached first: what the one at its entry notes would
  // stay behind without it.
  add(plan, {"conn_request_return"});
  if (!plan.config.counter_access)
    add(plan, {"make_synack"});
  if (features.arguments_of("cookie_v4_init_sequence"))
    add(plan, {"v4_cookie_made"});
  else
    see_nothing_of(plan, AW_SYNCOOKIE_SENT, AW_REASON_NONE, AW_STAGE_NONE,
                   "this kernel has no cookie_v4_init_sequence() to attach to", {});
  if (features.arguments_of("cookie_v6_init_sequence"))
    add(plan, {"v6_cookie_made"});
  add(plan, {"conn_request"});
  plan.config.sees_overflows = 1;
}

void add_ack_stage(const Features& features, Plan& plan) {
  const auto v4 = features.arguments_of("tcp_v4_syn_recv_sock");
  const auto v6 = features.arguments_of("tcp_v6_syn_recv_sock");
  const bool entries = plan.tier == AW_SOURCE_KPROBE;
  if (v4 && known_prototype(*v4)) {
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
  if (v4 && known_prototype(*v4) && v6 == v4) {
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

/// Resets sent by a firewall rule (REJECT). Kernels without connection tracking inline the function
/// that sends them.
void add_netfilter_resets(const Features& features, Plan& plan) {
  const bool readable = plan.config.packet_access != AW_PACKETS_UNREADABLE;
  if (readable && features.arguments_of("nf_ct_attach") == 2U)
    return add(plan, {"netfilter_answer"});
  see_nothing_of(plan, AW_RESET_SENT, AW_FIREWALL, AW_STAGE_NONE,
                 readable ? "this kernel has no nf_ct_attach() to attach to" : unreadable_packets,
                 {});
}

/// Whether a security module may refuse any request: SELinux, Smack, or a BPF program. AppArmor
/// refuses only packets that carry its marks, and the other modules do not implement the hook.
bool may_refuse_requests(const Features& features) {
  const auto& modules = features.security_modules;
  return !modules || names_module(*modules, "selinux") || names_module(*modules, "smack") ||
         (names_module(*modules, "bpf") && features.lsm_program.value_or(true));
}

/// Finds out why a request could not be made. This program runs for every connection, so it is left
/// out where the only likely reason is a missing route, which a counter of the kernel tells.
void add_security_program(const Features& features, Plan& plan) {
  if (!plan.cgroup_mount.empty())
    return; // the packet hook stands in, and does not ask
  if (plan.config.counter_access && !may_refuse_requests(features))
    return see_nothing_of(plan, AW_LISTEN_DROP, AW_MEMORY, AW_STAGE_SYN,
                          "told apart only where a security module (SELinux, Smack, a BPF program) "
                          "may refuse requests; reported as request_failed",
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

/// For kernels whose dropped RSTs do not name the listener. inet_csk_reqsk_queue_drop() is called
/// for every connection, so it is hooked on these alone.
void add_dropped_requests(const Features& features, Plan& plan) {
  if (!features.arguments_of("inet_csk_reqsk_queue_drop"))
    return see_nothing_of(plan, AW_RESET_RECEIVED, AW_IN_HANDSHAKE, AW_STAGE_NONE,
                          "this kernel has no inet_csk_reqsk_queue_drop() to attach to",
                          newer_version);
  add(plan, {"request_dropped"});
  plan.config.sees_dropped_requests = 1;
}

/// A handshake that is under way when its listener closes: its client's next packet is reset.
void add_orphaned_requests(const Features& features, Plan& plan) {
  if (features.arguments_of("inet_csk_reqsk_queue_drop_and_put") == 2U)
    return add(plan, {"request_orphaned"});
  see_nothing_of(plan, AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_ACK,
                 "this kernel has no inet_csk_reqsk_queue_drop_and_put() to attach to", {});
}

void add_listener_programs(const Features& features, Plan& plan) {
  const auto arguments = features.arguments_of("inet_csk_listen_start");
  plan.config.listen_start_args = static_cast<__u8>(arguments.value_or(0));
  if (plan.tier == AW_SOURCE_KPROBE)
    add(plan, {"listen_started", "listen_start", "listen_stopped"});
  else if (features.refuses("listen_started_at_last") || features.refuses("listen_stopped_at_last"))
    add(plan, {"set_state", "set_state_again", "set_state_at_last"});
  else
    add(plan, {"listen_started", "listen_started_again", "listen_started_at_last", "listen_stopped",
               "listen_stopped_again", "listen_stopped_at_last"});
  if (features.arguments_of("__x64_sys_listen") &&
      (features.typed_registers || plan.tier == AW_SOURCE_KPROBE))
    add(plan, {"listen_called"});
}

/// Not in tier kprobe; accept.bpf.h says why.
void add_accept_program(const Features& features, Plan& plan) {
  const auto arguments = features.arguments_of("inet_csk_accept");
  if (plan.tier == AW_SOURCE_KPROBE || (arguments != 2U && arguments != 4U))
    return;
  plan.config.accept_args = static_cast<__u8>(*arguments);
  if (features.arguments_of("security_sock_graft"))
    add(plan, {"accept_entered", "accept_left"}); // before what they stand in for
  add(plan, {"accepted"});
}

} // namespace

void add_function_programs(const Features& features, Plan& plan) {
  add_syn_stage(features, plan);
  if (features.arguments_of("inet_csk_prepare_forced_close"))
    add(plan, {"child_discarded"});
  if (drops_tell_all(features, plan)) {
    read_dropped_acks(features, plan);
  } else {
    add_ack_stage(features, plan);
    add_dropped_requests(features, plan);
  }
  add_request_programs(features, plan);
  add_orphaned_requests(features, plan);
  add_security_program(features, plan);
  add_function_resets(features, plan);
  add_netfilter_resets(features, plan);
  add_listener_programs(features, plan);
  add_accept_program(features, plan);
}

} // namespace acceptwatch
