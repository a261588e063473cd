// SPDX-License-Identifier: Apache-2.0
#include "probes/privileges.h"

#include <cerrno>
#include <memory>
#include <sys/capability.h>
#include <vector>

namespace acceptwatch {
namespace {

struct CapFree {
  void operator()(cap_t capabilities) const { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, CapFree>;

bool has(const Capabilities& capabilities, cap_value_t value) {
  cap_flag_value_t set = CAP_CLEAR;
  return capabilities && cap_get_flag(capabilities.get(), value, CAP_EFFECTIVE, &set) == 0 &&
         set == CAP_SET;
}

std::vector<cap_value_t> needed(bool reopens_file) {
  std::vector<cap_value_t> values{CAP_BPF, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
  if (reopens_file)
    values.push_back(CAP_DAC_OVERRIDE);
  return values;
}

} // namespace

void note_capabilities(Features& features) {
  const Capabilities held{cap_get_proc()};
  features.cap_sys_admin = has(held, CAP_SYS_ADMIN);
  features.cap_bpf = features.cap_sys_admin || has(held, CAP_BPF);
  features.cap_perfmon = features.cap_sys_admin || has(held, CAP_PERFMON);
  features.cap_sys_ptrace = has(held, CAP_SYS_PTRACE);
  features.cap_net_admin = has(held, CAP_NET_ADMIN);
}

Result<void> drop_privileges(bool reopens_file) {
  const Capabilities held{cap_get_proc()};
  const Capabilities wanted{cap_init()};
  if (!held || !wanted)
    return system_failure("cannot read this process's capabilities", errno);
  for (const cap_value_t value : needed(reopens_file)) {
    if (!has(held, value))
      continue;
    cap_set_flag(wanted.get(), CAP_PERMITTED, 1, &value, CAP_SET);
    cap_set_flag(wanted.get(), CAP_EFFECTIVE, 1, &value, CAP_SET);
  }
  if (cap_set_proc(wanted.get()) < 0)
    return system_failure("cannot give up capabilities", errno);
  return {};
}

} // namespace acceptwatch
