// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/features.h"

#include <cerrno>

namespace acceptwatch::unit {

// What probing would find, with all privileges, on kernels that users have.

inline constexpr Attempt works{true, 0};
constexpr Attempt fails(int error) { return {false, error}; }

/// What they have in common.
inline Features any_kernel() {
  Features features;
  features.lockdown = "none";
  features.btf = BtfSource::kernel;
  features.cap_bpf = features.cap_perfmon = features.cap_net_admin = features.cap_sys_admin = true;
  features.tp_btf = features.fentry = features.kprobe = features.iterator = works;
  features.task_stack = works;
  features.cgroup_skb = features.probe_read = features.ring_buffer = works;
  features.cgroup_mount = "/sys/fs/cgroup";
  features.syn_full_at_limit = false;
  features.hz = 250;
  features.arguments = {
      {"tcp_conn_request", 4},
      {"tcp_make_synack", 6},
      {"tcp_v4_syn_recv_sock", 6},
      {"tcp_v6_syn_recv_sock", 6},
      {"tcp_v4_send_reset", 2},
      {"tcp_v6_send_reset", 2},
      {"inet_csk_accept", 4},
      {"security_sock_graft", 2},
      {"tp:tcp_retransmit_synack", 2},
      {"tp:tcp_send_reset", 2},
      {"tp:inet_sock_set_state", 3},
      {"tp:kfree_skb", 2},
      {"tp:sched_process_fork", 2},
      {"tp:sched_process_exec", 3},
      {"tp:sched_process_exit", 1},
      {"tcp_req_err", 3},
      {"inet_csk_reqsk_queue_drop", 2},
      {"inet_csk_reqsk_queue_drop_and_put", 2},
      {"inet_csk_prepare_forced_close", 1},
      {"security_inet_conn_request", 3},
      {"cookie_v4_init_sequence", 2},
      {"cookie_v6_init_sequence", 2},
      {"inet_csk_listen_start", 1},
      {"inet_csk_listen_stop", 1},
      {"tcp_syn_ack_timeout", 1},
      {"reqsk_timer_handler", 1},
      {"nf_ct_attach", 2},
  };
  features.listen_drops = 20;
  features.no_routes = 15;
  features.syn_floods = 80;
  features.this_cpu_off = true;
  features.security_modules = "lockdown,capability,yama,apparmor";
  return features;
}

inline Features kernel_5_10() {
  auto features = any_kernel();
  features.kernel_release = "5.10.0";
  features.arguments["inet_csk_listen_start"] = 2;
  features.this_cpu_off = false;
  features.syn_full_at_limit = true;
  return features;
}

inline Features kernel_6_1() {
  auto features = any_kernel();
  features.kernel_release = "6.1.0";
  features.arguments["tp:kfree_skb"] = 3;
  features.arguments["__inet_csk_reqsk_queue_drop"] = 3;
  features.drop_reasons = {
      {1, "SKB_DROP_REASON_NOT_SPECIFIED"},      {2, "SKB_DROP_REASON_NO_SOCKET"},
      {5, "SKB_DROP_REASON_SOCKET_FILTER"},      {7, "SKB_DROP_REASON_NETFILTER_DROP"},
      {14, "SKB_DROP_REASON_TCP_MD5NOTFOUND"},   {21, "SKB_DROP_REASON_TCP_FLAGS"},
      {70, "SKB_DROP_REASON_TC_INGRESS"},        {71, "SKB_DROP_REASON_XDP"},
      {72, "SKB_DROP_REASON_BPF_CGROUP_EGRESS"}, {73, "SKB_DROP_REASON_IP_RPFILTER"},
      {74, "SKB_DROP_REASON_OTHERHOST"},         {75, "SKB_DROP_REASON_NEIGH_DEAD"},
      {76, "SKB_DROP_REASON_TCP_CSUM"},          {77, "SKB_DROP_REASON_CPU_BACKLOG"},
      {78, "SKB_DROP_REASON_TCP_INVALID_SYN"},   {79, "SKB_DROP_REASON_TCP_RFC7323_PAWS"},
      {80, "SKB_DROP_REASON_TCP_OVERWINDOW"}};
  features.current_task_btf = features.sock_from_file = features.socket_cookie = true;
  features.netfilter = NetfilterTypes{true, 130000, {0, 136, 176, 200}};
  return features;
}

inline Features kernel_6_12() {
  auto features = kernel_6_1();
  features.kernel_release = "6.12.0";
  features.drop_reasons.emplace(81, "SKB_DROP_REASON_IP_LOCALNET"); // of 6.14, as if backported
  features.arguments["tp:kfree_skb"] = 4;
  features.arguments["tp:tcp_send_reset"] = 3;
  features.reset_reason = features.rdonly_cast = true;
  return features;
}

/// As 6.18 is built for small virtual machines: no function tracing, no kprobes.
inline Features kernel_6_18() {
  auto features = kernel_6_12();
  features.kernel_release = "6.18.0";
  features.arguments["tcp_v4_syn_recv_sock"] = features.arguments["tcp_v6_syn_recv_sock"] = 7;
  features.drop_reasons.emplace(40, "SKB_DROP_REASON_TCP_LISTEN_OVERFLOW");
  features.drop_reasons.emplace(97, "SKB_DROP_REASON_TCP_MINTTL");
  features.fentry = fails(ENOTSUP);
  features.kprobe = fails(ENOENT);
  features.netfilter.reset();
  return features;
}

inline Features kernel_7_2() {
  auto features = kernel_6_18();
  features.kernel_release = "7.2.0";
  features.fentry = features.kprobe = works;
  features.netfilter = kernel_6_12().netfilter;
  features.preemptible_tracepoints = true;
  return features;
}

/// lockdown=confidentiality: no reading of kernel memory, no kprobes.
inline Features locked_down(Features features) {
  features.lockdown = "confidentiality";
  features.probe_read = features.kprobe = fails(EPERM);
  return features;
}

/// An ordinary user: nothing was even tried.
inline Features unprivileged(Features features) {
  features.cap_bpf = features.cap_perfmon = features.cap_net_admin = features.cap_sys_admin = false;
  features.tp_btf = features.fentry = features.kprobe = features.iterator = {};
  features.task_stack = {};
  features.cgroup_skb = features.probe_read = features.ring_buffer = {};
  features.syn_full_at_limit.reset();
  return features;
}

/// CONFIG_DEBUG_INFO_BTF is not set.
inline Features without_btf(Features features) {
  features.btf = BtfSource::none;
  features.arguments.clear();
  features.tp_btf = features.fentry = features.iterator = features.task_stack = {};
  features.netfilter.reset();
  features.reset_reason = false;
  features.drop_reasons.clear();
  features.current_task_btf = false;
  features.sock_from_file = features.socket_cookie = features.rdonly_cast = false;
  return features;
}

/// The same with --btf FILE: types are known, typed programs still impossible.
inline Features with_btf_file(Features features) {
  features.btf = BtfSource::file;
  features.this_cpu_off = false;
  features.tp_btf = features.fentry = features.iterator = features.task_stack = {};
  return features;
}

inline Features without_ring_buffer(Features features) {
  features.ring_buffer = fails(EINVAL);
  return features;
}

} // namespace acceptwatch::unit
