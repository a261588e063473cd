// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"
#include "model/listener.h"

#include <deque>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

namespace acceptwatch {

/// Every listener and who holds it. Fed in the order in which things happened;
/// asks the host only for what records cannot say.
class ListenerTable {
public:
  explicit ListenerTable(const Host& host) : host_(host) {}

  /// What a look finds follows.
  void begin_look() { looked_.reset(); }
  /// A descriptor found by a scan of all processes.
  void add_holder(const aw_holder& record);
  /// listener_opened, listener_closed.
  void opened(const aw_event& record);
  /// How it ended; absent: not known.
  std::optional<ListenerEnd> closed(const aw_event& record);
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
    const Holder* newest = nullptr; ///< of the others' owners, the one that was started last
  };
  [[nodiscard]] Group group_of(const Listener& listener) const;

  /// From here on counts Listener::recent.
  void begin_interval();

  /// A record showed a listener's queues.
  void note_queues(const aw_listener& record);

  /// Who listens where a packet went to: the one with that very address, else one
  /// with a wildcard that takes its family. Several: the members of a SO_REUSEPORT
  /// group, of which the kernel would have chosen one.
  [[nodiscard]] std::vector<const Listener*> find_at(uint32_t netns, const Address& address,
                                                     uint16_t port) const;
  /// Who listens on that port of this host, whatever the address and the namespace are.
  [[nodiscard]] std::vector<const Listener*> on_port(uint16_t port) const;
  /// Who listened there, of those that are closed: the last one.
  [[nodiscard]] const Listener* find_former(uint32_t netns, const Address& address,
                                            uint16_t port) const;

  /// Compares the listener's holders with /proc, unless that was done after
  /// `happened_ns`: a process may have closed its copy, which nothing reports. So
  /// each record finds the holders of its time as long as records are read in
  /// time, and a flood that is behind does not look for each of them. Times are
  /// CLOCK_BOOTTIME. False: nobody is known to hold it.
  bool verify(uint64_t id, uint64_t happened_ns, uint64_t now_ns);

  /// What accept() fails for, of one of its holders at least. Looks at most once a second for
  /// each listener, and leaves `shortage` as it was in between.
  void update_shortage(uint64_t id, uint64_t now_ns, std::optional<FileShortage>& shortage);

  /// What the processes that hold it are doing, the owner first. Looks at most once a
  /// second for each listener.
  [[nodiscard]] std::optional<OwnerState> owner_state(uint64_t id, uint64_t now_ns);

  /// Listeners there that are closed, and of which is known how they ended: the last first.
  [[nodiscard]] std::vector<const Listener*> ended_at(uint32_t netns, uint16_t port) const;

  /// Names the event's owner.
  void attribute(Event& event) const;

  /// Closed listeners are kept, because the summary names them; so many of them.
  static constexpr size_t max_closed = 4096;
  /// Holders of all listeners together, a process once for each that it holds. Whoever has 2,000
  /// listeners and forks 500 times would have a million.
  static constexpr size_t max_held = 32768;
  /// So many of each listener are known all the same.
  static constexpr size_t always_held = 16;
  /// Listeners of which some holders were left out, each counted once.
  [[nodiscard]] uint64_t left_out() const { return left_out_; }

private:
  Holder make_holder(uint32_t pid, std::string name) const;
  void add(Listener& listener, Holder holder);
  [[nodiscard]] bool has_room(Listener& listener);
  void release(uint32_t pid, uint64_t id);
  [[nodiscard]] std::optional<std::string> cgroup_of(uint32_t pid);
  void drop(Listener& listener, uint32_t pid);
  void verify_holders(Listener& listener);
  [[nodiscard]] std::optional<FileShortage> shortage_of(const Listener& listener) const;
  static void note_accepter(Listener& listener, ThreadId thread);
  static void compare_quota(Listener& listener, OwnerState& state);
  /// The listener, once a second of those in which it was looked for; null: not yet.
  Listener* due(uint64_t id, uint64_t Listener::*last_ns, uint64_t now_ns);
  /// Enters a new or renewed listener.
  Listener& place(const aw_listener& record);
  static void note_queue(Listener& listener, const aw_listener& record);
  void displace(const Listener& listener);
  void forget_oldest_closed();
  [[nodiscard]] std::vector<const Listener*> at(uint32_t netns, uint16_t port) const;
  /// The holders that a scan found after listen(), whose record is read later; forgets
  /// the others: of a socket whose end was not seen, and whose number is used again.
  std::vector<Holder> holders_after(const Listener& listener, uint64_t opened_ns);
  [[nodiscard]] const Holder* holder_at_fork(Listener& listener, const aw_process& record) const;
  void forked(const aw_process& record);
  void executed(const aw_process& record);
  void renamed(const aw_process& record);
  void exited(uint32_t pid);
  void note_exit(const aw_process& record);
  void note_exit_of_last_holder(const aw_process& record);
  void accepts(const aw_process& record);

  const Host& host_;
  std::unordered_map<uint64_t, Listener> listeners_;
  /// pid → ids of the listeners that it holds
  std::unordered_map<uint32_t, std::vector<uint64_t>> held_;
  size_t held_count_ = 0; ///< ids in held_
  uint64_t left_out_ = 0;
  /// Of the process of which a look found a descriptor last: it finds all of one process together.
  std::optional<std::pair<uint32_t, std::optional<std::string>>> looked_;
  /// netns and port → ids of the listeners there, closed ones too
  std::map<std::pair<uint32_t, uint16_t>, std::vector<uint64_t>> places_;
  std::vector<uint32_t> suspects_; ///< pids that were not in /proc
  std::deque<uint64_t> closed_;    ///< oldest first; an id may have been reused since
};

} // namespace acceptwatch
