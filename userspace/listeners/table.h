// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "listeners/listed.h"
#include "listeners/threads.h"

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
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

struct Listener {
  uint64_t id = 0;    ///< aw_listener.id
  uint32_t netns = 0; ///< inode of its network namespace; 0: not known
  Address address;    ///< its own, perhaps a wildcard
  uint16_t port = 0;
  std::vector<Holder> holders;
  std::vector<Holder> let_go;        ///< that are alive and have closed their copies
  uint32_t listen_pid = 0;           ///< who called listen(); 0: not seen
  std::optional<Holder> last_holder; ///< of a listener that nobody holds any more
  uint64_t verified_ns = 0;          ///< when its holders were last compared with /proc
  bool closed = false;               ///< kept for the totals
  uint64_t closed_ns = 0;            ///< CLOCK_BOOTTIME
  uint64_t stall_checked_ns = 0;     ///< see exhausted_holder()
  uint64_t cookie = 0;               ///< of its socket; 0: not known
  std::optional<uint32_t> backlog;   ///< listen()'s, before any cap
  std::optional<ListenerState> state;
  uint32_t accept_peak = 0; ///< the greatest depths seen, by records and scans
  uint32_t syn_peak = 0;
  uint64_t state_taken_ns = 0; ///< see owner_state()
};

/// The process that called listen() while it holds the socket, else the holder
/// that was started first, else the last that held it. Null: none is known.
[[nodiscard]] const Holder* owner_of(const Listener& listener);

/// The holder as records show it.
[[nodiscard]] Owner to_owner(const Holder& holder);

/// Every listener and who holds it. Fed in the order in which things happened;
/// asks /proc only for what records cannot say.
class ListenerTable {
public:
  explicit ListenerTable(const ProcFs& procfs, StackReader read_stacks = {})
      : procfs_(procfs), read_stacks_(std::move(read_stacks)) {}

  /// A descriptor found by a scan of all processes.
  void add_holder(const aw_holder& record);
  /// listener_opened, listener_closed.
  void opened(const aw_event& record);
  void closed(uint64_t id, uint64_t closed_ns);
  void process_changed(const aw_process& record);

  /// Some exits were not reported: asks /proc which holders are still there. The
  /// others are dropped by drop_suspects(), for records from before their exit may
  /// still wait to be read.
  void suspect_exits();
  void drop_suspects();

  [[nodiscard]] const Listener* find(uint64_t id) const;
  void for_each(const std::function<void(const Listener&)>& visit) const;

  /// Of the SO_REUSEPORT group that shares its address and port, itself included: how
  /// many members there are, and how many others are at most half full.
  struct Group {
    unsigned members = 1;
    unsigned idle = 0;
  };
  [[nodiscard]] Group group_of(const Listener& listener) const;

  /// A record showed a listener's queues.
  void note_queues(const aw_listener& record);

  /// Who listens where a packet went to: the one with that very address, else one
  /// with a wildcard that takes its family. Null: nobody that is known.
  [[nodiscard]] const Listener* find_at(uint32_t netns, const Address& address,
                                        uint16_t port) const;
  /// The same of those that are closed: the last one.
  [[nodiscard]] const Listener* find_former(uint32_t netns, const Address& address,
                                            uint16_t port) const;

  /// Compares the listener's holders with /proc, unless that was done after
  /// `happened_ns`: a process may have closed its copy, which nothing reports. So
  /// each record finds the holders of its time as long as records are read in
  /// time, and a flood that is behind does not look for each of them. Times are
  /// CLOCK_BOOTTIME. False: nobody is known to hold it.
  bool verify(uint64_t id, uint64_t happened_ns, uint64_t now_ns);

  /// A holder that has no descriptor left, so that its accept() fails (EMFILE)
  /// however many connections wait. Looks at most once a second for each listener.
  struct Exhausted {
    Owner owner;
    Descriptors descriptors;
  };
  [[nodiscard]] std::optional<Exhausted> exhausted_holder(uint64_t id, uint64_t now_ns);

  /// What the processes that hold it are doing, the owner first. Looks at most once a
  /// second for each listener.
  [[nodiscard]] std::optional<OwnerState> owner_state(uint64_t id, uint64_t now_ns);

  /// Names the event's owner.
  void attribute(Event& event) const;

  /// Closed listeners are kept, because the summary names them; so many of them.
  static constexpr size_t max_closed = 4096;

private:
  Holder make_holder(uint32_t pid, std::string name) const;
  void add(Listener& listener, Holder holder);
  void drop(Listener& listener, uint32_t pid);
  void verify_holders(Listener& listener);
  /// The listener, once a second of those in which it was looked for; null: not yet.
  Listener* due(uint64_t id, uint64_t Listener::*last_ns, uint64_t now_ns);
  /// Enters a new or renewed listener.
  Listener& place(const aw_listener& record);
  static void note_peaks(Listener& listener, const aw_listener& record);
  void displace(const Listener& listener);
  [[nodiscard]] std::vector<const Listener*> at(uint32_t netns, uint16_t port) const;
  /// The holders that a scan found after listen(), whose record is read later; forgets
  /// the others: of a socket whose end was not seen, and whose number is used again.
  std::vector<Holder> holders_after(const Listener& listener, uint64_t opened_ns);
  [[nodiscard]] const Holder* holder_at_fork(Listener& listener, const aw_process& record) const;
  void forked(const aw_process& record);
  void executed(const aw_process& record);
  void renamed(const aw_process& record);
  void exited(uint32_t pid);
  void accepts(const aw_process& record);

  const ProcFs& procfs_;
  StackReader read_stacks_;
  std::unordered_map<uint64_t, Listener> listeners_;
  /// pid → ids of the listeners that it holds
  std::unordered_map<uint32_t, std::vector<uint64_t>> held_;
  /// netns and port → ids of the listeners there, closed ones too
  std::map<std::pair<uint32_t, uint16_t>, std::vector<uint64_t>> places_;
  std::vector<uint32_t> suspects_; ///< pids that were not in /proc
  std::deque<uint64_t> closed_;    ///< oldest first; an id may have been reused since
};

} // namespace acceptwatch
