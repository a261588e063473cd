// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "events/listed.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace acceptwatch {

/// A process that holds a listener.
struct Holder {
  uint32_t pid = 0;
  std::string name;
  std::optional<std::string> cgroup;
  uint64_t start_ns = 0;   ///< CLOCK_BOOTTIME; 0: not known
  int fd = -1;             ///< a descriptor that refers to the listener; -1: not known
  uint64_t scanned_ns = 0; ///< CLOCK_BOOTTIME of the scan that found it; 0: a record told
  /// As the last record showed it, which may be out of date.
  mutable std::shared_ptr<const Owner> shown = {};
};

/// A listener's queues and what limits them, as a scan found them.
struct ListenerState {
  uint64_t at_ns = 0; ///< CLOCK_BOOTTIME
  Queue accept_queue;
  Queue syn_queue;
  uint64_t head_us = 0; ///< aw_listener.head_us
  QueueSettings settings;
  bool reuseport = false;
};

/// The queues of a listener since the last sample.
struct RecentQueues {
  Queue accept_queue;
  Queue syn_queue;
  uint32_t accept_peak = 0;
  uint32_t syn_peak = 0;
};

struct Listener {
  uint64_t id = 0;    ///< aw_listener.id
  uint32_t netns = 0; ///< inode of its network namespace; 0: not known
  Address address;    ///< its own, perhaps a wildcard
  uint16_t port = 0;
  std::vector<Holder> holders;
  std::vector<Holder> let_go;           ///< that are alive and have closed their copies
  bool left_out_holders = false;        ///< there are more than these
  uint32_t listen_pid = 0;              ///< who called listen(); 0: not seen
  std::optional<Holder> lost_opener;    ///< who called listen(), and has exited since
  std::optional<Holder> last_holder;    ///< of a listener that nobody holds any more
  std::optional<ListenerEnd> last_exit; ///< how that one ended, if it did
  uint64_t verified_ns = 0;             ///< when its holders were last compared with /proc
  bool closed = false;                  ///< kept for the totals
  std::optional<ListenerEnd> end;       ///< of one that is closed, where it is known
  uint64_t closed_ns = 0;               ///< CLOCK_BOOTTIME
  uint64_t stall_checked_ns = 0;        ///< see update_shortage()
  uint64_t cookie = 0;                  ///< of its socket; 0: not known
  std::optional<uint32_t> backlog;      ///< listen()'s, before any cap
  std::optional<ListenerState> state;
  std::optional<Queue> accept_queue; ///< as a record or a scan showed it last
  /// The limit before it was changed by another listen(): that of the first.
  std::optional<uint32_t> limit_before;
  uint32_t accept_peak = 0;       ///< the greatest depths seen, by records and scans
  uint32_t accept_peak_limit = 0; ///< the limit that it had then
  uint32_t syn_peak = 0;
  std::optional<RecentQueues> recent;   ///< absent where nothing has shown them
  uint64_t state_taken_ns = 0;          ///< see owner_state()
  std::vector<ThreadId> accepters;      ///< threads that were seen to accept from it, or about to
  std::optional<CpuQuota> quota_before; ///< of its owner, at the last such look
};

/// Null: none is known.
[[nodiscard]] Holder* find_holder(std::vector<Holder>& holders, uint32_t pid);

/// The process that called listen() while it holds the socket, else the holder
/// that was started first, else the last that held it. Null: none is known.
[[nodiscard]] const Holder* owner_of(const Listener& listener);

/// Whether the same process owns them all.
[[nodiscard]] bool have_one_owner(const std::vector<const Listener*>& listeners);

/// The holder as records show it.
[[nodiscard]] Owner to_owner(const Holder& holder);

/// Where the id is an address there is no inode to look for in /proc.
[[nodiscard]] bool has_inode(const Listener& listener);

/// Whether packets to that address reach it: its own, or any where it is a wildcard.
[[nodiscard]] bool takes(const Listener& listener, const Address& address);

} // namespace acceptwatch
