// SPDX-License-Identifier: Apache-2.0
#include "host/owner_look.h"

#include "base/file.h"
#include "base/text.h"
#include "host/cgroup.h"

namespace acceptwatch {
namespace {

/// Descriptors are counted one by one, which takes too long in a process whose table has room for
/// more than this. The room is "FDSize:" in /proc/PID/status, and never shrinks (expand_fdtable()).
constexpr uint64_t max_room = 16384;

bool is_quickly_counted(const ProcFs& procfs, uint32_t pid) {
  const auto status = read_file(procfs.path(pid, "status")).value_or("");
  for (const auto line : split(status, '\n')) {
    constexpr std::string_view name = "FDSize:\t";
    if (line.starts_with(name)) {
      const auto room = parse_number<uint64_t>(line.substr(name.size()));
      return room && *room <= max_room;
    }
  }
  return false;
}

} // namespace

std::optional<OwnerState> look_at_owner(const ProcFs& procfs, const std::vector<uint32_t>& pids) {
  OwnerState state;
  state.threads = look_at_threads(procfs, pids);
  if (!state.threads.seen)
    return std::nullopt;
  const uint32_t owner = pids.front();
  if (is_quickly_counted(procfs, owner))
    state.descriptors = procfs.descriptors(owner);
  const auto path = procfs.cgroup(owner);
  const auto cgroup = path ? place_of_cgroup(procfs, *path) : std::nullopt;
  if (cgroup) {
    state.frozen = is_frozen(*cgroup);
    state.cpu_quota = cpu_quota(*cgroup);
  }
  state.pressure = pressure_of(procfs, cgroup);
  return state;
}

} // namespace acceptwatch
