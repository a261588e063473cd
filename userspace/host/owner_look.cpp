// SPDX-License-Identifier: Apache-2.0
#include "host/owner_look.h"

#include "base/file.h"
#include "base/text.h"
#include "host/cgroup.h"
#include "host/file_locks.h"
#include "host/tcp_table.h"
#include "host/thread_call.h"
#include "host/threads.h"

#include <fmt/format.h>

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

/// The socket that the thread reads from or writes to; 0: none.
uint64_t socket_of_told(const ProcFs& procfs, const ThreadStates& threads) {
  const auto& told = threads.told;
  if (!told ||
      (told->activity != Activity::socket_read && told->activity != Activity::socket_write))
    return 0;
  const auto task = fmt::format("{}/{}", procfs.path(told->pid, "task"), told->tid);
  const auto call = call_of(task);
  return call ? socket_of(task, call->first).value_or(0) : 0;
}

/// The files of version 2 where it has them, else those of version 1.
void add_cgroup(const ProcFs& procfs, uint32_t pid, OwnerState& state) {
  const auto path = procfs.cgroup(pid);
  const auto cgroup = path ? place_of_cgroup(procfs, *path) : std::nullopt;
  const auto of_version_1 = [&](std::string_view controller) {
    const auto place = procfs.cgroup_of(pid, controller);
    return place ? place_of_cgroup(procfs, *place, controller) : std::nullopt;
  };
  if (cgroup) {
    state.frozen = is_frozen(*cgroup);
    state.cpu_quota = cpu_quota(*cgroup);
  }
  if (const auto freezer = state.frozen ? std::nullopt : of_version_1("freezer"))
    state.frozen = is_frozen_v1(*freezer);
  if (const auto cpu = state.cpu_quota ? std::nullopt : of_version_1("cpu"))
    state.cpu_quota = cpu_quota_v1(*cpu);
  state.pressure = pressure_of(procfs, cgroup);
}

} // namespace

std::optional<OwnerState> look_at_owner(const ProcFs& procfs, const OwnerQuestion& asked) {
  OwnerState state;
  state.threads = look_at_threads(procfs, asked);
  if (!state.threads.seen)
    return std::nullopt;
  const uint32_t owner = asked.pids.front();
  if (is_quickly_counted(procfs, owner))
    state.descriptors = procfs.descriptors(owner);
  add_cgroup(procfs, state.threads.told ? state.threads.told->pid : owner, state);
  return state;
}

void add_counterpart(const ProcFs& procfs, const OwnerQuestion& asked, OwnerState& state) {
  auto& told = state.threads.told;
  if (told && told->activity == Activity::lock)
    told->lock_holder = holder_of_lock(procfs, told->pid);
  const bool pauses = state.threads.listener == Awaited::no;
  const uint64_t socket = socket_of_told(procfs, state.threads);
  if (!asked.port || (!socket && !pauses))
    return;
  const auto connections = look_at_connections(procfs, asked.pids.front(), asked.port, socket);
  if (!connections)
    return;
  if (told)
    told->peer = connections->peer;
  if (pauses)
    state.open_connections = connections->open;
}

} // namespace acceptwatch
