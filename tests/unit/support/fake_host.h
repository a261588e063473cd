// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"

#include <functional>
#include <map>

namespace acceptwatch::unit {

/// What a host would say, as a value. A process that is not in it has exited.
class FakeHost final : public Host {
public:
  struct Process {
    std::string name;
    std::optional<uint64_t> start_ns;
    std::optional<std::string> cgroup;
    std::map<int, uint64_t> sockets; ///< descriptor → inode
    std::optional<FileUsage> descriptors = {};
  };

  std::map<uint32_t, Process> processes;
  std::map<uint64_t, Waits> times; ///< by listener
  std::vector<aw_holder> holders;  ///< that a look shows
  std::optional<Error> look_fails;
  std::vector<Counter> counted;
  bool sums_up = false;
  Losses lost;
  NetReadings readings;
  std::vector<uint32_t> mounted; ///< network namespaces
  std::optional<FileUsage> files;
  std::optional<OwnerState> state;
  std::optional<ConntrackTable> tracked;
  std::vector<Translation> translated;
  std::optional<CookieCounts> cookie_counts;
  std::optional<Chain> chain_of_all;
  uint64_t entered = 0;
  mutable uint64_t now_ns = 0; ///< at which looks are made; a look takes `look_ns`
  uint64_t look_ns = 1000;
  mutable int searches = 0;
  mutable int last_hint = -1;
  mutable int looks = 0;
  mutable int states = 0;
  mutable int readings_taken = 0; ///< of the counters of network namespaces
  uint64_t readings_ns = 1000;    ///< that each of those takes

  std::optional<std::string> name(uint32_t pid) const override {
    const Process* process = find(pid);
    return process ? std::optional{process->name} : std::nullopt;
  }
  std::optional<uint64_t> start_ns(uint32_t pid) const override {
    const Process* process = find(pid);
    return process ? process->start_ns : std::nullopt;
  }
  std::optional<std::string> cgroup(uint32_t pid) const override {
    const Process* process = find(pid);
    return process ? process->cgroup : std::nullopt;
  }
  std::optional<int> find_socket(uint32_t pid, uint64_t inode, int hint) const override {
    ++searches;
    last_hint = hint;
    const Process* process = find(pid);
    if (!process)
      return std::nullopt;
    for (const auto& [fd, candidate] : process->sockets) {
      if (candidate == inode)
        return fd;
    }
    return -1;
  }
  std::optional<FileUsage> descriptors(uint32_t pid) const override {
    const Process* process = find(pid);
    return process ? process->descriptors : std::nullopt;
  }
  std::optional<OwnerState> owner_state(const OwnerQuestion&) const override {
    ++states;
    return state;
  }
  std::optional<CookieCounts> cookies(uint32_t) const override { return cookie_counts; }
  std::optional<ConntrackTable> conntrack(uint32_t) const override { return tracked; }
  std::vector<Translation> translations() const override { return translated; }
  std::optional<FileUsage> host_files() const override { return files; }
  NetCounterLook net_counters(std::optional<uint32_t>, const NetReadings&) const override {
    ++readings_taken;
    return {readings, readings_ns};
  }
  std::vector<uint32_t> mounted_namespaces() const override { return mounted; }
  ListenerLook look(const std::function<void(const aw_holder&)>& visit) const override {
    ++looks;
    ListenerLook look{now_ns, now_ns + look_ns, look_fails};
    for (aw_holder holder : holders) {
      holder.header.boot_ns = now_ns;
      visit(holder);
    }
    return look;
  }
  std::vector<Counter> counters() const override { return counted; }
  bool has_summed_up() const override { return sums_up; }
  Losses losses() const override { return lost; }
  std::optional<Waits> waits(uint64_t listener, uint64_t) const override {
    const auto found = times.find(listener);
    return found == times.end() ? std::nullopt : std::optional{found->second};
  }
  uint64_t arrivals(const aw_place&) const override { return entered; }
  std::optional<Chain> chain(uint64_t) const override { return chain_of_all; }

private:
  [[nodiscard]] const Process* find(uint32_t pid) const {
    const auto found = processes.find(pid);
    return found == processes.end() ? nullptr : &found->second;
  }
};

} // namespace acceptwatch::unit
