// SPDX-License-Identifier: Apache-2.0
#include "host/proc_host.h"

#include "base/file.h"
#include "base/text.h"
#include "host/clock.h"
#include "host/holder_scan.h"
#include "host/mounts.h"
#include "host/net_reading.h"
#include "host/netstat.h"
#include "host/owner_look.h"

#include <algorithm>

namespace acceptwatch {

ProcHost::ProcHost(const std::string& root) : procfs_(root) {}

bool ProcHost::may_look() const {
  if (!budget_ || budget_->has_left(Clock::boot_now()))
    return true;
  ++left_out_;
  return false;
}

ListenerLook ProcHost::refused_look() {
  const uint64_t now = Clock::boot_now();
  return {now, now, Error{ExitStatus::failed, "there is no time left for a look", ""}};
}

/// Absent is that the process is gone: so this is never left out, nor is start_ns().
std::optional<std::string> ProcHost::name(uint32_t pid) const {
  const auto spent = spending();
  return procfs_.name(pid);
}

std::optional<uint64_t> ProcHost::start_ns(uint32_t pid) const {
  const auto spent = spending();
  return procfs_.start_ns(pid);
}

std::optional<std::string> ProcHost::cgroup(uint32_t pid) const {
  const auto spent = spending();
  return may_look() ? procfs_.cgroup(pid) : std::nullopt;
}

std::optional<int> ProcHost::find_socket(uint32_t pid, uint64_t inode, int hint) const {
  const auto spent = spending();
  if (!may_look())
    return std::nullopt;
  return procfs_.find_socket(pid, inode, hint);
}

std::optional<FileUsage> ProcHost::descriptors(uint32_t pid) const {
  const auto spent = spending();
  return may_look() ? procfs_.descriptors(pid) : std::nullopt;
}

bool ProcHost::may_exceed_file_max(uint32_t pid) const { return procfs_.may_exceed_file_max(pid); }

std::optional<OwnerState> ProcHost::owner_state(const OwnerQuestion& asked) const {
  const auto spent = spending();
  if (!may_look())
    return std::nullopt;
  auto state = look_at_owner(procfs_, asked);
  if (!state)
    return state;
  add_stacks(asked.pids, state->threads);
  // For a twentieth of the time at most.
  constexpr uint64_t share = 20;
  const uint64_t begun = Clock::boot_now();
  if (begun >= next_counterpart_ns_) {
    add_counterpart(procfs_, asked, *state);
    const uint64_t ended = Clock::boot_now();
    next_counterpart_ns_ = ended + (ended - begun) * share;
  }
  return state;
}

std::optional<CookieCounts> ProcHost::cookies(uint32_t pid) const {
  const auto spent = spending();
  if (!may_look())
    return std::nullopt;
  const auto text = read_file(procfs_.path(pid, "net/netstat"));
  if (!text)
    return std::nullopt;
  const auto counters = parse_net_counters(*text);
  const auto sent = counters.find("TcpExt:SyncookiesSent");
  const auto returned = counters.find("TcpExt:SyncookiesRecv");
  if (sent == counters.end() || returned == counters.end())
    return std::nullopt;
  return CookieCounts{sent->second, returned->second};
}

std::optional<ConntrackTable> ProcHost::conntrack(uint32_t pid) const {
  const auto spent = spending();
  if (!may_look())
    return std::nullopt;
  const auto table = read_file(procfs_.path(pid, "net/stat/nf_conntrack"));
  const auto limit = read_line(procfs_.path("sys/net/netfilter/nf_conntrack_max"));
  const auto most = limit ? parse_number<uint64_t>(*limit) : std::nullopt;
  if (!table || !most)
    return std::nullopt;
  const auto counters = parse_cpu_table("nf_conntrack", *table);
  const auto entries = counter_of(counters, "nf_conntrack:entries");
  const auto dropped = counter_of(counters, "nf_conntrack:drop");
  // Each CPU's row has the number of them all (ct_cpu_seq_show()).
  const auto rows = static_cast<uint64_t>(std::ranges::count(*table, '\n')) - 1;
  if (!entries || !dropped || !rows)
    return std::nullopt;
  return ConntrackTable{*entries / rows, *most, *dropped};
}

std::vector<Translation> ProcHost::translations() const {
  return translations_ ? translations_->read() : std::vector<Translation>{};
}

std::optional<FileUsage> ProcHost::host_files() const { return procfs_.host_files(); }

NetCounterLook ProcHost::net_counters(std::optional<uint32_t> only,
                                      const NetReadings& before) const {
  const auto spent = spending(); // there are pauses between them: schedule_audit()
  const uint64_t begun = Clock::boot_now();
  NetCounterLook look{read_net_counters(procfs_, only, before), 0};
  look.took_ns = Clock::boot_now() - begun;
  return look;
}

std::vector<uint32_t> ProcHost::mounted_namespaces() const {
  std::vector<uint32_t> found;
  for (const Mount& mount : mounts_of(procfs_.path("self/mountinfo"))) {
    if (const auto netns = netns_of_link(mount.root))
      found.push_back(*netns);
  }
  return found;
}

ListenerLook ProcHost::look(const std::function<void(const aw_holder&)>& visit) const {
  const auto spent = spending();
  if (!may_look())
    return refused_look();
  const auto lease = lease_files();
  ListenerLook look{Clock::boot_now(), 0, std::nullopt};
  scan_procfs(procfs_, visit);
  look.ended_ns = Clock::boot_now();
  return look;
}

void ProcHost::add_stacks(const std::vector<uint32_t>&, ThreadStates&) const {}

} // namespace acceptwatch
