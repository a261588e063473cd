// SPDX-License-Identifier: Apache-2.0
#include "probes/probe_features.h"

#include "base/file.h"
#include "base/text.h"
#include "host/mounts.h"
#include "host/privileges.h"
#include "kernel/btf.h"
#include "kernel/syn_limit.h"
#include "probes/attempts.h"
#include "probes/driver_xdp.h"
#include "probes/load_btf.h"
#include "probes/netfilter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <sys/utsname.h>

namespace acceptwatch {
namespace {

constexpr std::array functions{
    "tcp_conn_request",
    "tcp_make_synack",
    "cookie_v4_init_sequence",
    "cookie_v6_init_sequence",
    "tcp_v4_syn_recv_sock",
    "tcp_v6_syn_recv_sock",
    "tcp_v4_send_reset",
    "tcp_v6_send_reset",
    "inet_csk_accept",
    "security_sock_graft",
    "security_inet_conn_request",
    "inet_csk_reqsk_queue_drop",
    "__inet_csk_reqsk_queue_drop",
    "inet_csk_reqsk_queue_drop_and_put",
    "inet_csk_prepare_forced_close",
    "tcp_syn_ack_timeout",
    "reqsk_timer_handler",
    "inet_csk_listen_start",
    "inet_csk_listen_stop",
    "__x64_sys_listen",
    "tcp_req_err",
    "nf_ct_attach",
};

constexpr std::array tracepoints{
    "tcp_retransmit_synack", "tcp_send_reset",     "inet_sock_set_state", "kfree_skb",
    "sched_process_fork",    "sched_process_exec", "sched_process_exit",
};

/// "none [integrity] confidentiality"
std::string active_lockdown() {
  const auto line = read_line("/sys/kernel/security/lockdown");
  if (!line)
    return {};
  const size_t begin = line->find('[');
  const size_t end = line->find(']');
  if (begin == std::string::npos || end == std::string::npos)
    return {};
  return line->substr(begin + 1, end - begin - 1);
}

/// Where cgroup2 is mounted: on hosts that also use cgroup v1 it is /sys/fs/cgroup/unified.
std::optional<std::string> find_cgroup_mount() {
  for (const Mount& mount : mounts_of()) {
    if (mount.type == "cgroup2")
      return mount.place;
  }
  return std::nullopt;
}

/// Each function that has something attached to its entry is a line: ftrace's own list.
std::optional<bool> has_lsm_program() {
  const auto traced = read_file("/sys/kernel/tracing/enabled_functions");
  if (!traced)
    return std::nullopt;
  return traced->find("bpf_lsm_inet_conn_request ") != std::string::npos;
}

/// HZ: the resolution of the coarse clocks is one jiffy (TICK_NSEC).
unsigned ticks_in_a_second() {
  timespec resolution{};
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) < 0 || resolution.tv_nsec <= 0)
    return 0;
  return static_cast<unsigned>(std::lround(1e9 / static_cast<double>(resolution.tv_nsec)));
}

void note_arguments(const TypeInfo& types, Features& features) {
  const std::vector<std::string> of_functions{functions.begin(), functions.end()};
  for (const auto& [name, count] : function_arguments(types, of_functions))
    features.arguments.emplace(name, count);
  const std::vector<std::string> of_tracepoints{tracepoints.begin(), tracepoints.end()};
  for (const auto& [name, count] : tracepoint_arguments(types, of_tracepoints))
    features.arguments.emplace("tp:" + name, count);
}

void note_types(const TypeInfo& types, Features& features) {
  note_arguments(types, features);
  features.drop_reasons = enumerators(types, "skb_drop_reason");
  features.reset_reasons = enumerators(types, "sk_rst_reason");
  features.listen_drops = enumerator_after(types, "LINUX_MIB_NUM", "LINUX_MIB_LISTENDROPS");
  features.no_routes = enumerator_after(types, "IPSTATS_MIB_NUM", "IPSTATS_MIB_OUTNOROUTES");
  features.syn_floods = enumerator_after(types, "LINUX_MIB_NUM", "LINUX_MIB_TCPREQQFULLDOCOOKIES");
  features.reset_reason = enumerator(types, "sk_rst_reason", "SK_RST_REASON_NO_SOCKET").has_value();
  features.typed_registers = takes_struct(types, "__x64_sys_listen");
  features.current_task_btf =
      enumerator(types, "bpf_func_id", "BPF_FUNC_get_current_task_btf").has_value();
  features.sock_from_file = enumerator(types, "bpf_func_id", "BPF_FUNC_sock_from_file").has_value();
  features.socket_cookie = function_arguments(types, "bpf_get_socket_ptr_cookie").has_value();
  features.rdonly_cast = function_arguments(types, "bpf_rdonly_cast").has_value();
}

void note_attempts(const std::optional<TypeInfo>& kernel_types, Features& features) {
  features.ring_buffer = try_ring_buffer();
  features.probe_read = try_probe_read();
  features.kprobe = try_kprobe();
  if (kernel_types) {
    features.tp_btf = try_tp_btf(*kernel_types);
    features.fentry = try_fentry(*kernel_types);
    features.iterator = try_iterator(*kernel_types);
    features.task_stack = try_task_stack(*kernel_types);
    if (features.fentry.ok)
      features.netfilter = find_netfilter_types(*kernel_types);
  }
  if (features.cgroup_mount)
    features.cgroup_skb = try_cgroup_skb(*features.cgroup_mount);
}

} // namespace

Result<Features> probe_features(const std::string& btf_file) {
  Features features;
  utsname names{};
  uname(&names);
  features.kernel_release = names.release;
  features.lockdown = active_lockdown();
  features.cgroup_mount = find_cgroup_mount();
  if (const auto modules = read_line("/sys/kernel/security/lsm"))
    features.security_modules = *modules;
  if (features.security_modules && names_module(*features.security_modules, "bpf"))
    features.lsm_program = has_lsm_program();
  features.hz = ticks_in_a_second();
  note_capabilities(features);

  const auto loaded = load_kernel_btf();
  if (!loaded)
    return tl::unexpected{loaded.error()};
  const auto& kernel_types = *loaded;
  if (kernel_types) {
    features.btf = BtfSource::kernel;
    note_types(*kernel_types, features);
    features.this_cpu_off = has_variable(*kernel_types, "this_cpu_off");
    // __DECLARE_TRACE() uses SRCU-fast instead of preempt_disable(). BTF does not show that, but it
    // shows a change of the same release: RCU Tasks Trace is made of SRCU-fast.
    features.preemptible_tracepoints =
        has_variable(*kernel_types, "rcu_tasks_trace_srcu_struct_srcu_data");
  }
  if (!btf_file.empty()) {
    const auto file_types = load_btf_file(btf_file);
    if (!file_types)
      return tl::unexpected{file_types.error()};
    features.btf = kernel_types ? BtfSource::kernel : BtfSource::file;
    if (!kernel_types)
      note_types(*file_types, features);
  }
  if (features.cap_bpf)
    note_attempts(kernel_types, features);
  features.driver_xdp = find_driver_xdp();
  features.syn_full_at_limit = syn_queue_full_at_limit();
  return features;
}

} // namespace acceptwatch
