// SPDX-License-Identifier: Apache-2.0
#include "host/host.h"

namespace acceptwatch {

std::optional<std::string> Host::name(uint32_t) const { return std::nullopt; }
std::optional<uint64_t> Host::start_ns(uint32_t) const { return std::nullopt; }
std::optional<std::string> Host::cgroup(uint32_t) const { return std::nullopt; }
std::optional<int> Host::find_socket(uint32_t, uint64_t, int) const { return std::nullopt; }
std::optional<FileUsage> Host::descriptors(uint32_t) const { return std::nullopt; }
bool Host::may_exceed_file_max(uint32_t) const { return false; }
std::optional<OwnerState> Host::owner_state(const OwnerQuestion&) const { return std::nullopt; }
std::optional<CookieCounts> Host::cookies(uint32_t) const { return std::nullopt; }
std::optional<ConntrackTable> Host::conntrack(uint32_t) const { return std::nullopt; }
std::vector<Translation> Host::translations() const { return {}; }
std::optional<FileUsage> Host::host_files() const { return std::nullopt; }
NetCounterLook Host::net_counters(std::optional<uint32_t>, const NetReadings&) const { return {}; }
std::vector<uint32_t> Host::mounted_namespaces() const { return {}; }
ListenerLook Host::look(const std::function<void(const aw_holder&)>&) const { return {}; }
std::vector<Counter> Host::counters() const { return {}; }
bool Host::has_summed_up() const { return false; }
Losses Host::losses() const { return {}; }
std::optional<Waits> Host::waits(uint64_t, uint64_t) const { return std::nullopt; }
uint64_t Host::arrivals(const aw_place&) const { return 0; }
std::optional<Chain> Host::chain(uint64_t) const { return std::nullopt; }

} // namespace acceptwatch
