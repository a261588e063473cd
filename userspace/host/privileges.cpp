// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.h"

#include "base/capabilities.h"

#include <cerrno>
#include <vector>

namespace acceptwatch {
namespace {

std::vector<cap_value_t> needed(const StillNeeded& for_what) {
  std::vector<cap_value_t> values{CAP_BPF, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
  if (for_what.reopens_file)
    values.push_back(CAP_DAC_OVERRIDE);
  if (for_what.exceeds_file_max)
    values.push_back(CAP_SYS_ADMIN);
  return values;
}

} // namespace

void note_capabilities(Features& features) {
  const auto held = Capabilities::of(0);
  features.cap_sys_admin = held.has(CAP_SYS_ADMIN);
  features.cap_bpf = features.cap_sys_admin || held.has(CAP_BPF);
  features.cap_perfmon = features.cap_sys_admin || held.has(CAP_PERFMON);
  features.cap_sys_ptrace = held.has(CAP_SYS_PTRACE);
  features.cap_net_admin = held.has(CAP_NET_ADMIN);
}

Result<void> drop_privileges(const StillNeeded& for_what) {
  const auto held = Capabilities::of(0);
  auto wanted = Capabilities::none();
  if (!held || !wanted)
    return system_failure("cannot read this process's capabilities", errno);
  for (const cap_value_t value : needed(for_what)) {
    if (held.has(value))
      wanted.add(value);
  }
  if (wanted.apply() < 0)
    return system_failure("cannot give up capabilities", errno);
  return {};
}

} // namespace acceptwatch
