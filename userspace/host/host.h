// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "events/counters.h"
#include "events/decode.h"
#include "events/waits.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace acceptwatch {

/// The counters of network namespaces, and how long it took to read them.
struct NetCounterLook {
  NetReadings readings;
  uint64_t took_ns = 0;
};

/// When a look at all listeners began and ended, CLOCK_BOOTTIME.
struct ListenerLook {
  uint64_t begun_ns = 0;
  uint64_t ended_ns = 0;
  std::optional<Error> failed; ///< what it saw until then was handed over all the same
};

/// SYN cookies that a network namespace has sent since it was made, and valid ones that came back.
struct CookieCounts {
  uint64_t sent = 0;
  uint64_t returned = 0;
};

/// Whose state is asked for, and of which listener.
struct OwnerQuestion {
  std::vector<uint32_t> pids; ///< that hold it, the owner first
  uint64_t inode = 0;         ///< of the listener's socket; 0: not known
  uint16_t port = 0;
  std::vector<ThreadId> accepters = {}; ///< that were seen to accept from it
};

/// What the model asks about the host: its processes, its listeners, and what the kernel programs
/// have counted. An answer that could not be found out is absent. Besides the records, this is the
/// only way in which the model learns anything, so a fake in a test, or a tape, can replace a host.
/// Functions that are not overridden answer that they do not know.
class Host {
public:
  Host() = default;
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Processes. Each is absent once the process is gone.

  [[nodiscard]] virtual std::optional<std::string> name(uint32_t pid) const;
  /// When it was started: CLOCK_BOOTTIME in nanoseconds, as fine as clock ticks.
  [[nodiscard]] virtual std::optional<uint64_t> start_ns(uint32_t pid) const;
  /// Its path in the cgroup2 hierarchy.
  [[nodiscard]] virtual std::optional<std::string> cgroup(uint32_t pid) const;
  /// A descriptor of `pid` that refers to the socket `inode`; `hint` is tried first. -1: there is
  /// none.
  [[nodiscard]] virtual std::optional<int> find_socket(uint32_t pid, uint64_t inode,
                                                       int hint) const;
  /// Its soft limit of descriptors, and how many below that it has open.
  [[nodiscard]] virtual std::optional<FileUsage> descriptors(uint32_t pid) const;
  /// It has CAP_SYS_ADMIN, and not just in a container: alloc_empty_file() lets it pass
  /// fs.file-max.
  [[nodiscard]] virtual bool may_exceed_file_max(uint32_t pid) const;
  /// What the threads of these are doing. Absent: none of them is there.
  [[nodiscard]] virtual std::optional<OwnerState> owner_state(const OwnerQuestion& asked) const;
  /// SYN cookies of the network namespace that the process is in.
  [[nodiscard]] virtual std::optional<CookieCounts> cookies(uint32_t pid) const;

  /// Of the network namespace that the process is in. Absent: connections are not tracked there.
  [[nodiscard]] virtual std::optional<ConntrackTable> conntrack(uint32_t pid) const;

  // The host as a whole.

  /// Where connections for the port that is explained were seen to be sent on to. Empty where
  /// nobody asked for it.
  [[nodiscard]] virtual std::vector<Translation> translations() const;

  /// Files that are open, and fs.file-max.
  [[nodiscard]] virtual std::optional<FileUsage> host_files() const;
  /// Counters of every network namespace with a process in it, or of `only` one. They are compared
  /// with the readings `before`: see read_net_counters().
  [[nodiscard]] virtual NetCounterLook net_counters(std::optional<uint32_t> only,
                                                    const NetReadings& before) const;
  /// Network namespaces that are mounted, `ip netns add`: they may have no process, and then their
  /// counters cannot be read.
  [[nodiscard]] virtual std::vector<uint32_t> mounted_namespaces() const;
  /// Every listener, once for each descriptor of a process that refers to it.
  [[nodiscard]] virtual ListenerLook look(const std::function<void(const aw_holder&)>& visit) const;

  // What the kernel programs know.

  [[nodiscard]] virtual std::vector<Counter> counters() const;
  /// Whether occurrences were counted without a record of their own since the last call.
  [[nodiscard]] virtual bool has_summed_up() const;
  /// What acceptwatch itself has missed since its start.
  [[nodiscard]] virtual Losses losses() const;
  /// How long connections waited in a listener's accept queue. The listener is named by its id and
  /// its socket's cookie. Absent: it accepted nothing, or this tier does not see accept().
  [[nodiscard]] virtual std::optional<Waits> waits(uint64_t listener, uint64_t cookie) const;
  /// Connections that entered the accept queues of a port since KernelControl::count_arrivals().
  [[nodiscard]] virtual uint64_t arrivals(const aw_place& place) const;
  /// The chain of nf_tables that aw_event.chain stands for. Absent: it is not known any more.
  [[nodiscard]] virtual std::optional<Chain> chain(uint64_t id) const;
};

} // namespace acceptwatch
