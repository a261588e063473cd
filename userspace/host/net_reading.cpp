// SPDX-License-Identifier: Apache-2.0
#include "host/net_reading.h"

#include "base/file.h"
#include "host/netstat.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace acceptwatch {
namespace {

/// Some processes of each network namespace. More than one: it may exit before its files are
/// opened.
using Members = std::map<uint32_t, std::vector<uint32_t>>;
constexpr size_t max_members = 4;

Members members_of_namespaces(const ProcFs& procfs, std::optional<uint32_t> only) {
  Members found;
  for (const uint32_t pid : procfs.pids()) {
    const auto netns = procfs.netns(pid);
    if (!netns || (only && *netns != *only))
      continue;
    auto& members = found[*netns];
    if (members.size() < max_members)
      members.push_back(pid);
  }
  return found;
}

/// Both files of a process. Once open, they stay with its network namespace, even when the process
/// moves on to another one.
struct OpenFiles {
  uint32_t pid = 0; ///< whose
  UniqueFd netstat;
  UniqueFd snmp;
  std::array<uint64_t, 2> inodes{};
};

std::optional<OpenFiles> open_files(const ProcFs& procfs, uint32_t pid, uint32_t netns) {
  const auto open_one = [&](const char* name) {
    return UniqueFd{open(procfs.path(pid, name).c_str(), O_RDONLY | O_CLOEXEC)};
  };
  OpenFiles files{pid, open_one("net/netstat"), open_one("net/snmp"), {}};
  struct stat netstat {};
  struct stat snmp {};
  // The process may have moved to another namespace, or exited and its pid been used again.
  if (!files.netstat || !files.snmp || procfs.netns(pid) != netns ||
      fstat(files.netstat.get(), &netstat) != 0 || fstat(files.snmp.get(), &snmp) != 0)
    return std::nullopt;
  files.inodes = {netstat.st_ino, snmp.st_ino};
  return files;
}

std::optional<OpenFiles> files_of_namespace(const ProcFs& procfs, uint32_t netns,
                                            const std::vector<uint32_t>& members,
                                            const NetReading* known) {
  std::vector<OpenFiles> candidates;
  for (const uint32_t pid : members) {
    auto files = open_files(procfs, pid, netns);
    if (!files)
      continue;
    if (known ? files->inodes == known->files
              : std::ranges::count(candidates, files->inodes, &OpenFiles::inodes) > 0)
      return files;
    candidates.push_back(std::move(*files));
  }
  if (candidates.empty())
    return std::nullopt;
  return std::move(candidates.front());
}

/// Tables beside netstat and snmp, where the kernel has them.
void add_tables(const ProcFs& procfs, uint32_t pid, NetCounters& counters) {
  for (const char* table : {"nf_conntrack", "arp_cache"}) {
    if (const auto text = read_file(procfs.path(pid, fmt::format("net/stat/{}", table).c_str())))
      counters.merge(parse_cpu_table(table, *text));
  }
  if (const auto text = read_file(procfs.path(pid, "net/softnet_stat")))
    counters.merge(parse_softnet(*text));
}

std::optional<NetReading> read_counters(const ProcFs& procfs, const OpenFiles& files) {
  const auto netstat = read_file(files.netstat);
  const auto snmp = read_file(files.snmp);
  if (!netstat || !snmp)
    return std::nullopt;
  auto counters = parse_net_counters(*netstat);
  counters.merge(parse_net_counters(*snmp));
  add_tables(procfs, files.pid, counters);
  NetReading reading;
  reading.files = files.inodes;
  for (size_t i = 0; i < nr_kernel_counters; ++i) {
    const auto [group, name] = name_of(static_cast<KernelCounter>(i));
    reading.values[i] = counter_of(counters, fmt::format("{}:{}", group, name)).value_or(0);
  }
  for (size_t i = 0; i < nr_evidence_counters; ++i) {
    const auto [group, name] = name_of(static_cast<EvidenceCounter>(i));
    reading.evidence[i] = counter_of(counters, fmt::format("{}:{}", group, name));
  }
  reading.witnesses = {counter_of(counters, "Ip:InReceives").value_or(0),
                       counter_of(counters, "Ip:OutRequests").value_or(0)};
  return reading;
}

} // namespace

NetReadings read_net_counters(const ProcFs& procfs, std::optional<uint32_t> only,
                              const NetReadings& before) {
  NetReadings readings;
  for (const auto& [netns, members] : members_of_namespaces(procfs, only)) {
    const auto known = before.find(netns);
    const auto files = files_of_namespace(procfs, netns, members,
                                          known == before.end() ? nullptr : &known->second);
    const auto reading = files ? read_counters(procfs, *files) : std::nullopt;
    if (reading)
      readings.emplace(netns, *reading);
  }
  return readings;
}

} // namespace acceptwatch
