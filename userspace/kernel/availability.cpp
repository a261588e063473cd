// SPDX-License-Identifier: Apache-2.0
#include "kernel/availability.h"

#include <cerrno>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

constexpr std::string_view use_poll = "`--probes poll` needs no BPF, and sees far less.";

Availability unavailable(ExitStatus status, std::string what, std::string advice) {
  return {false, {status, std::move(what), std::move(advice)}};
}

/// EINVAL is of a kernel that does not know such a map; before 5.11 maps counted as locked memory.
const char* ring_buffer_advice(const Features& features) {
  return features.ring_buffer.error == EINVAL
             ? "Linux 5.8 or newer is needed."
             : "A security module, a container's seccomp filter or, before Linux 5.11, "
               "RLIMIT_MEMLOCK may be why.";
}

/// What every tier with BPF needs.
Availability bpf_availability(const Features& features) {
  if (!features.cap_bpf || !features.cap_perfmon)
    return unavailable(ExitStatus::privileges, missing_capabilities(features),
                       fmt::format("Run acceptwatch as root (sudo acceptwatch ...). {}", use_poll));
  if (features.btf == BtfSource::none)
    return unavailable(ExitStatus::kernel, "this kernel carries no type information (BTF)",
                       fmt::format("Give the running kernel's with --btf FILE. {}", use_poll));
  if (!features.ring_buffer.ok)
    return unavailable(ExitStatus::kernel,
                       refused("making a BPF ring buffer", features.ring_buffer),
                       fmt::format("{} {}", ring_buffer_advice(features), use_poll));
  return {true, {}};
}

/// Typed programs attach by the ids of the kernel's own type information.
Availability typed_availability(const Features& features) {
  if (features.btf == BtfSource::file)
    return unavailable(ExitStatus::kernel,
                       "typed programs need the type information inside the kernel; --btf does "
                       "not replace it there",
                       "Use --probes kprobe.");
  if (!features.tp_btf.ok)
    return unavailable(ExitStatus::kernel, refused("loading a tp_btf program", features.tp_btf),
                       std::string{use_poll});
  return {true, {}};
}

Availability missing_function(const Features& features) {
  for (const char* name : {"tcp_conn_request", "inet_csk_listen_start", "inet_csk_listen_stop"}) {
    if (!features.arguments_of(name))
      return unavailable(ExitStatus::kernel,
                         fmt::format("this kernel's type information has no function {}", name),
                         "Try --probes tracepoint.");
  }
  return {true, {}};
}

Availability fentry_availability(const Features& features) {
  if (auto typed = typed_availability(features); !typed.available)
    return typed;
  if (!features.fentry.ok)
    return unavailable(ExitStatus::kernel,
                       refused("attaching to a function's entry (fentry)", features.fentry),
                       "Another tier may do: --probes auto takes the best.");
  return missing_function(features);
}

Availability kprobe_availability(const Features& features) {
  if (features.kprobe.error == EACCES && !features.cap_sys_admin)
    return unavailable(ExitStatus::privileges, "making a kprobe takes CAP_SYS_ADMIN",
                       "The fentry tier does without.");
  if (!features.kprobe.ok)
    return unavailable(ExitStatus::kernel, refused("attaching a kprobe", features.kprobe),
                       "A kernel with CONFIG_KPROBES and without lockdown=confidentiality is "
                       "needed.");
  if (!features.probe_read.ok)
    return unavailable(ExitStatus::kernel, refused("bpf_probe_read_kernel()", features.probe_read),
                       "lockdown=confidentiality forbids it; the fentry tier needs none.");
  return missing_function(features);
}

} // namespace

std::string missing_capabilities(const Features& features) {
  if (features.cap_bpf)
    return "CAP_PERFMON is missing";
  return features.cap_perfmon ? "CAP_BPF is missing" : "CAP_BPF and CAP_PERFMON are missing";
}

std::string refused(const char* what, const Attempt& attempt) {
  return fmt::format("{} is refused: {}", what, describe_errno(attempt.error));
}

Availability availability(const Features& features, aw_source tier) {
  if (tier == AW_SOURCE_POLL)
    return {true, {}};
  if (auto bpf = bpf_availability(features); !bpf.available)
    return bpf;
  switch (tier) {
  case AW_SOURCE_FENTRY:
    return fentry_availability(features);
  case AW_SOURCE_KPROBE:
    return kprobe_availability(features);
  default:
    return typed_availability(features);
  }
}

} // namespace acceptwatch
