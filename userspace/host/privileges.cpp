// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.h"

#include "base/capabilities.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace acceptwatch {
namespace {

std::vector<cap_value_t> needed(const StillNeeded& for_what) {
  std::vector<cap_value_t> values{CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
  if (for_what.bpf)
    values.push_back(CAP_BPF);
  if (for_what.writes_elsewhere)
    values.push_back(CAP_DAC_OVERRIDE);
  if (for_what.exceeds_file_max)
    values.push_back(CAP_SYS_ADMIN);
  return values;
}

/// A program that is executed takes its capabilities from there. Without CAP_SETPCAP it stays as it
/// is; seal_process() sees to it that exec gives nothing.
void bound_to(const Capabilities& held, const std::vector<cap_value_t>& kept) {
  if (!held.has(CAP_SETPCAP))
    return;
  for (cap_value_t value = 0; value < cap_max_bits(); ++value) {
    if (std::ranges::find(kept, value) == kept.end())
      cap_drop_bound(value);
  }
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
  std::vector<cap_value_t> kept;
  for (const cap_value_t value : needed(for_what)) {
    if (!held.has(value))
      continue;
    wanted.add(value);
    kept.push_back(value);
  }
  bound_to(held, kept);
  cap_reset_ambient();
  if (wanted.apply() < 0)
    return system_failure("cannot give up capabilities", errno);
  return {};
}

bool can_write_unprivileged(int directory, const std::string& file) {
  const auto held = Capabilities::of(0);
  auto without = Capabilities::of(0);
  if (!held || !without)
    return false;
  without.suspend(CAP_DAC_OVERRIDE);
  if (without.apply() < 0)
    return false;
  // The file that is there will be moved away.
  const bool can = (faccessat(directory, file.c_str(), W_OK, AT_EACCESS) == 0 || errno == ENOENT) &&
                   faccessat(directory, ".", W_OK | X_OK, AT_EACCESS) == 0;
  return held.apply() == 0 && can;
}

} // namespace acceptwatch
