// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace acceptwatch {

/// One thing that was tried.
struct Attempt {
  bool ok = false;
  int error = 0; ///< errno of the try; 0: it was not tried
};

/// What chains.bpf.h needs to know of nf_tables, which is a module or part of the kernel.
struct NetfilterTypes {
  bool is_module = false;
  uint32_t function = 0; ///< the number of nft_do_chain()
  aw_nft_offsets offsets{};
};

/// XDP programs that run in a device's driver: what they drop is no packet of the kernel's yet, and
/// skb:kfree_skb does not show it.
struct DriverXdp {
  std::vector<std::string> devices; ///< of this network namespace, that have one
  bool elsewhere = false;           ///< some are loaded, and run on no device of this namespace
  bool elsewhere_known = true;      ///< only CAP_SYS_ADMIN sees what is loaded
};

/// Programs that could not be attached, each with the errno.
using Refusals = std::map<std::string, int, std::less<>>;

enum class BtfSource { none, kernel, file };

/// What this kernel and the privileges of this process allow. Found out by looking and by trying,
/// never from a version number.
struct Features {
  std::string kernel_release; ///< for messages only
  std::string lockdown;       ///< none, integrity, confidentiality; empty: not known
  BtfSource btf = BtfSource::none;

  // CAP_SYS_ADMIN implies the first two, as in the kernel.
  bool cap_bpf = false;
  bool cap_perfmon = false;
  bool cap_net_admin = false;
  bool cap_sys_admin = false;
  bool cap_sys_ptrace = false; ///< for other users' processes in /proc

  Attempt tp_btf;     ///< load a typed tracepoint program
  Attempt fentry;     ///< load and attach to tcp_conn_request
  Attempt kprobe;     ///< load and attach to tcp_conn_request
  Attempt iterator;   ///< load iter/task_file
  Attempt task_stack; ///< load iter/task with bpf_get_task_stack()
  Attempt cgroup_skb; ///< load and attach to the root cgroup, and detach
  Attempt probe_read; ///< load a program that calls bpf_probe_read_kernel()
  Attempt ring_buffer;

  /// Functions and tracepoints ("tp:NAME") of interest: number of arguments.
  /// What BTF does not have is not here.
  std::map<std::string, unsigned, std::less<>> arguments;

  /// Drop and reset reasons by number, as the kernel names them.
  std::map<int, std::string> drop_reasons;
  std::map<int, std::string> reset_reasons;
  /// The kernel's numbers of its counters ListenDrops, OutNoRoutes and TCPReqQFullDoCookies.
  std::optional<int> listen_drops;
  std::optional<int> no_routes;
  std::optional<int> syn_floods;
  /// The variable, in the kernel's own BTF: the kernel's counters are read where it is. 5.10, which
  /// has none, is left with the hook at the SYN-ACK.
  bool this_cpu_off = false;
  /// Programs at tracepoints run with preemption on: 7.0.
  bool preemptible_tracepoints = false;
  bool typed_registers = false;            ///< of __x64_sys_listen(): pt_regs can be followed
  bool reset_reason = false;               ///< enum sk_rst_reason
  bool current_task_btf = false;           ///< helper, 5.11
  bool sock_from_file = false;             ///< helper, 5.11
  bool socket_cookie = false;              ///< helper in tracing programs, 5.12
  bool rdonly_cast = false;                ///< kfunc, 6.2
  std::optional<std::string> cgroup_mount; ///< of cgroup2
  /// Active security modules, as in /sys/kernel/security/lsm; absent: not known.
  std::optional<std::string> security_modules;
  /// A BPF program of the LSM is attached to inet_conn_request. Absent: not known.
  std::optional<bool> lsm_program;
  std::optional<NetfilterTypes> netfilter; ///< looked for where fentry works
  DriverXdp driver_xdp;
  unsigned hz = 0;                       ///< ticks of jiffies in a second
  std::optional<bool> syn_full_at_limit; ///< absent: could not be tried

  /// Found out by attaching those of a plan; the next plan does without them.
  Refusals refused;

  [[nodiscard]] bool refuses(std::string_view program) const { return refused.contains(program); }
  [[nodiscard]] std::optional<unsigned> arguments_of(std::string_view name) const {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::nullopt : std::optional{found->second};
  }
};

/// Whether `module` is in a list as security_modules has it.
[[nodiscard]] bool names_module(std::string_view modules, std::string_view module);

} // namespace acceptwatch
