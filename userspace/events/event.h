// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"
#include "base/shared_text.h"
#include "base/short_text.h"
#include "events/blind_spot.h"
#include "events/listener_end.h"

#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// Nanoseconds since 1970-01-01 UTC.
using Timestamp = int64_t;

struct Address {
  uint16_t family = 0;                         ///< AF_INET or AF_INET6
  std::array<uint8_t, AW_ADDRESS_LEN> bytes{}; ///< IPv4 in the first four
  bool operator==(const Address&) const = default;
};

/// As inet_ntop(3) has it, which takes many times as long; empty: of no known family.
[[nodiscard]] ShortText<INET6_ADDRSTRLEN> to_string(const Address& address);

/// A queue at one instant. The accept queue is full above its limit.
struct Queue {
  uint32_t depth = 0;
  uint32_t limit = 0;
  bool operator==(const Queue&) const = default;
};

/// A process that holds a listener.
struct Owner {
  uint32_t pid = 0;          ///< 0: several of that name, of a record that stands for many
  std::string name;          ///< any bytes: the process chose them
  SharedText cgroup;         ///< path below the cgroup2 mount
  SharedText container = {}; ///< id, if the cgroup's path names one
};

/// Who listened where nobody does any more: the gap of a restart.
struct FormerListener {
  Owner owner;
  double closed_seconds_ago = 0; ///< at the event, at least 0
  std::optional<ListenerEnd> end = {};
};

/// Files that are open, and how many may be.
struct FileUsage {
  uint64_t open = 0;
  uint64_t limit = 0;

  [[nodiscard]] bool is_exhausted() const { return open >= limit; }
};

/// Why accept() fails, however many connections wait.
struct FileShortage {
  bool of_host = false; ///< fs.file-max (ENFILE); else a process's RLIMIT_NOFILE (EMFILE)
  FileUsage files;
};

/// A warning before a queue is full. Its begin has the depths with the event itself.
struct QueuePressure {
  bool ended = false;
  double seconds = 0;  ///< of one that ended: how long it was
  uint32_t accept = 0; ///< of one that ended: the greatest depth of the accept queue
  uint32_t syn = 0;    ///< the same of the SYN queue
};

/// A connection that its owner closed within a moment of accept().
struct EarlyClose {
  double seconds = 0;
  bool since_accept = false; ///< else since the end of its handshake: accept() is not seen
  // Bytes: of the client's that were read, that were not, and that were written.
  uint32_t read = 0;
  uint32_t unread = 0;
  uint32_t sent = 0;
  /// Which of those that were accepted on that port since the start: 1 is the first.
  std::optional<uint64_t> number;
};

enum class Confidence { possible, likely, certain };

/// A number that a finding rests on. Times are in seconds, and named so.
struct Evidence {
  std::string_view name;
  double value = 0;
};

/// A verdict: what is wrong with a listener, and what to do. docs/findings.md has the
/// closed set of names.
struct Finding {
  std::string_view name;
  Confidence confidence = Confidence::likely;
  std::string what; ///< a sentence, with the numbers that matter
  std::vector<Evidence> evidence;
  std::string advice; ///< a sentence that names what to change
  /// It rests on events, and is true until none came for Thresholds::hold_ns; else it is how
  /// things are, and ends when they change.
  bool lingers = true;
};

/// A finding becomes true, is told again while it goes on or grows, and ends.
enum class FindingState : uint8_t { begun, goes_on, ended };

struct Verdict {
  Finding finding;
  FindingState state = FindingState::begun;
  /// For how long it was, or has been, true; of one that lingers, until the last event.
  double seconds = 0;

  [[nodiscard]] bool has_ended() const { return state == FindingState::ended; }
};

/// What a thread is doing, what keeps it from accepting first.
enum class Activity : uint8_t {
  running, ///< on a CPU, or waits for one
  disk,    ///< uninterruptible: mostly waits for a disk
  stopped, ///< by a signal or a debugger
  child,   ///< waits for a child process to end: wait4(), waitid()
  lock,    ///< of a file: flock(), fcntl()
  socket_read,
  socket_write,
  connect, ///< the last that keeps a thread from accepting: those below may lack work
  futex,   ///< a lock, a condition, another thread's end
  io,      ///< read or write of what is no socket: a pipe, a terminal
  sleep,
  poll, ///< epoll, poll or select
  accept,
  signal, ///< waits for one: the master of worker processes
  other,
  unknown, ///< sleeps; where, /proc does not tell us
  zombie,  ///< has exited
};
inline constexpr size_t activity_count = static_cast<size_t>(Activity::zombie) + 1;

/// A kernel function in which threads sleep: /proc/PID/wchan.
struct KernelWait {
  std::string function;
  size_t threads = 0;
};

/// Functions of the kernel that threads are in, the innermost first and the system call last;
/// of a deep one the innermost 12. "ext4_readdir [ext4]" is of a module.
struct KernelStack {
  std::vector<std::string> frames;
  size_t threads = 0;
  Activity activity = Activity::unknown; ///< as the frames tell it
};

/// A thread, by its process's number and its own.
struct ThreadId {
  uint32_t pid = 0;
  uint32_t tid = 0;
  bool operator==(const ThreadId&) const = default;
};

/// The other end of a connection that a thread reads from or writes to.
struct Peer {
  Address address;
  uint16_t port = 0;
  bool is_client = false; ///< the connection is one of the listener's own; else a backend's
};

/// The thread that tells most of why nothing is accepted.
struct ToldThread {
  uint32_t pid = 0; ///< its process
  uint32_t tid = 0;
  std::string name; ///< the thread's own
  Activity activity = Activity::unknown;
  bool accepts = false;                ///< it was seen to accept from the listener
  std::optional<Peer> peer;            ///< of socket_read, socket_write
  std::optional<uint32_t> lock_holder; ///< of lock: the process that has it
  std::vector<std::string> frames;     ///< as in KernelStack; empty: not known

  [[nodiscard]] bool is_main() const { return pid == tid; }
};

/// Whether a thread waits for connections of the listener: in accept(), or by epoll.
enum class Awaited : uint8_t { unknown, no, yes };

struct ThreadStates {
  size_t processes = 0; ///< that they are of
  /// Processes that only watch over others that accept, and whose threads are not counted.
  size_t supervisors = 0;
  size_t total = 0;
  size_t seen = 0; ///< looked at: all, or as many as there was time for
  std::array<size_t, activity_count> doing{};
  std::vector<KernelWait> waits;   ///< the first few, most threads first
  std::vector<KernelStack> stacks; ///< the same, and a telling one; those that run have none
  std::optional<ToldThread> told;
  Awaited listener = Awaited::unknown;
  std::vector<ThreadId> accepters; ///< that wait for the listener's connections; the first few

  [[nodiscard]] size_t count(Activity activity) const {
    return doing[static_cast<size_t>(activity)];
  }
};

/// The quota of a cgroup, and its cpu.stat. The counts are those of its lifetime.
struct CpuQuota {
  uint64_t quota_us = 0; ///< of each period
  uint64_t period_us = 0;
  uint64_t periods = 0;
  uint64_t throttled = 0; ///< periods in which the quota was used up
  uint64_t throttled_us = 0;
  // Since the look before. Absent: there was none.
  std::optional<uint64_t> recent_periods = {};
  std::optional<uint64_t> recent_throttled = {};
};

/// Share of the last 10 s in which some task waited, in percent ("some avg10").
struct Pressure {
  std::optional<double> cpu;
  std::optional<double> memory;
  bool of_host = false; ///< the cgroup has none of its own
};

/// What the processes that hold a listener were doing at one moment.
struct OwnerState {
  ThreadStates threads;                 ///< of all of them
  std::optional<FileUsage> descriptors; ///< of the owner (RLIMIT_NOFILE), as are those below
  std::optional<bool> frozen;           ///< its cgroup is
  std::optional<CpuQuota> cpu_quota;
  Pressure pressure;
  /// Accepted connections of the listener's port that are open.
  std::optional<uint64_t> open_connections;
};

/// A chain of nf_tables: names as `nft list ruleset` has them, at most 31 characters of each.
struct Chain {
  std::string table;
  std::string name;
};

/// A connection of the same ports that is not over on this host, so that it is handed the SYN.
struct OldConnection {
  uint8_t state = 0;                  ///< the kernel's number: TCP_ESTABLISHED is 1
  std::optional<double> idle_seconds; ///< since its last packet, before the SYN
};

/// As `ss` has it, in lower case with underscores; empty: the kernel has no such state.
[[nodiscard]] std::string_view tcp_state_name(uint8_t state);

/// The listener's own end, where what came was not addressed to it: netfilter translated it, or
/// something else led it there (TPROXY, a program of sk_lookup).
struct OwnEnd {
  std::optional<Address> address; ///< absent: any
  uint16_t port = 0;
  bool operator==(const OwnEnd&) const = default;
};

/// The table of tracked connections of a network namespace.
struct ConntrackTable {
  uint64_t entries = 0;
  uint64_t limit = 0;   ///< net.netfilter.nf_conntrack_max
  uint64_t dropped = 0; ///< packets for want of room, since it was made
};

/// Where clients send to, and where this host sends it on to.
struct Translation {
  std::optional<Address> address;
  uint16_t port = 0;
  OwnEnd own;
  bool operator==(const Translation&) const = default;
};

/// One event as a value: what happened, wherever it came from. What is not known
/// is absent.
struct Event {
  Timestamp time = 0;
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
  aw_source source = AW_SOURCE_POLL;
  uint64_t count = 1;    ///< kernel occurrences that this stands for, at least 1
  uint64_t listener = 0; ///< aw_listener.id; 0: none
  std::optional<Address> server_address;
  std::optional<uint16_t> server_port;
  std::optional<OwnEnd> server_nat;
  bool is_passing = false; ///< on its way through this host, to no listener of it
  std::optional<Address> client_address;
  std::optional<uint16_t> client_port;
  uint16_t family = 0; ///< of the packet: AF_INET, AF_INET6; 0: not known
  std::optional<Queue> accept_queue;
  std::optional<Queue> syn_queue;
  std::optional<uint32_t> netns;
  std::optional<uint64_t> socket; ///< socket cookie
  std::optional<unsigned> retry;
  std::optional<std::string_view>
      kernel_reason; ///< lives as long as the ReasonNames that it is from
  aw_hook netfilter_hook = AW_HOOK_UNKNOWN;
  std::optional<Chain> chain; ///< of nf_tables, that dropped it
  std::string device; ///< that a refused packet came by, or was to leave by; empty: not known
  std::optional<OldConnection> old_connection;
  std::optional<Owner> owner;
  std::optional<ListenerEnd> end;        ///< of a close: who did it, where it is known
  std::optional<EarlyClose> early_close; ///< of closed_after_accept
  std::optional<FormerListener> former;  ///< of a reset_sent without a listener
  std::optional<FileShortage> shortage;  ///< of accept_stalled
  std::optional<double> oldest_seconds;  ///< how long the head of the accept queue has waited
  std::optional<uint32_t> backlog;       ///< of listener_opened: listen()'s, before any cap
  std::optional<QueuePressure> pressure; ///< of queue_pressure
  std::optional<Verdict> verdict;        ///< of finding
  std::optional<OwnerState> owner_state; ///< why it does not accept
  size_t owners = 0;                     ///< how many processes hold the listener; 0: not known
};

/// The first record: what is watched, and how.
struct Start {
  Timestamp time = 0;
  std::string version;
  std::string kernel;
  aw_source source = AW_SOURCE_POLL;
  std::vector<std::string> probes;  ///< what was attached
  std::vector<std::string> filters; ///< as they were given, "port=80"
  std::string host = {};            ///< its name; empty: not known
  std::string boot_id = {};         ///< of this start of its kernel; empty: not known
  std::vector<BlindSpot> blind = {};
};

/// Records that could not be delivered: they are counted all the same.
struct Lost {
  Timestamp time = 0;
  std::string where;  ///< ring_buffer, counter_map, program
  uint64_t count = 0; ///< since the last such record
};

/// One line of the summary: exact, whatever became of the records.
struct Total {
  uint64_t listener = 0;
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
  uint64_t count = 0;
  std::optional<uint32_t> netns;
  std::optional<Address> server_address; ///< the listener's own
  std::optional<uint16_t> server_port;
  std::optional<Owner> owner;
  bool other = false; ///< of all listeners that had no room for a counter of their own
};

/// A counter of the kernel's, beside what was reported of it.
struct AuditedCounter {
  std::string_view name; ///< the kernel's own
  uint64_t kernel = 0;
  uint64_t explained = 0;
  std::string why; ///< a known cause of the difference; empty: none, or no difference
};

[[nodiscard]] inline bool differs(const AuditedCounter& counter) {
  return counter.kernel != counter.explained;
}

struct AuditedNamespace {
  uint32_t netns = 0;
  bool gone = false; ///< compared when it could be read for the last time
  std::vector<AuditedCounter> counters;
};

/// The kernel's counters against what was reported. Counters that did not move and
/// explain nothing are left out, and so are namespaces without any other.
struct Audit {
  Timestamp time = 0;
  std::vector<std::string> incomparable;    ///< why there is no comparison, "port=80"
  std::vector<AuditedCounter> sums;         ///< of the namespaces that are not gone
  std::vector<AuditedNamespace> namespaces; ///< those that differ first
  size_t compared = 0;   ///< namespaces whose counters could be read, those that agree included
  size_t uncompared = 0; ///< others that are known of
  size_t unread = 0;     ///< namespaces whose records have no counters to compare them with
};

/// How long something took, of many: each value is the upper end of its bucket, at most
/// half as much again as the truth.
struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0; ///< seconds
  double max = 0;                   ///< seconds; exact, where it is known
};

/// Connections that came to an accept queue, and left it.
struct Flow {
  double seconds = 0;    ///< for how long that was watched
  uint64_t entered = 0;  ///< connections that entered the queue
  uint64_t full = 0;     ///< packets that found it full: who tries again is counted again
  uint64_t accepted = 0; ///< connections that left it

  // Where accept() is not seen, and all follows from looks at the queue.
  uint64_t looks = 0;   ///< 0: accept() is seen
  size_t listeners = 1; ///< that share the port: these numbers are of all of them together
  std::optional<double> mean_wait_seconds;
};

/// What a listener went through in one interval.
struct Sample {
  Timestamp time = 0; ///< its end
  double seconds = 0;
  aw_source source = AW_SOURCE_POLL;
  Address address;
  uint16_t port = 0;
  uint32_t netns = 0;
  std::optional<uint64_t> socket; ///< socket cookie
  std::optional<Owner> owner;
  size_t owners = 0;                 ///< how many processes hold it; 0: not known
  std::optional<Queue> accept_queue; ///< as it was seen last in the interval
  std::optional<Queue> syn_queue;
  uint32_t accept_peak = 0; ///< the greatest depth seen in it
  uint32_t syn_peak = 0;
  std::optional<double> oldest_seconds; ///< how long the head of the accept queue has waited
  struct Loss {
    aw_action action = AW_ACTION_NONE;
    aw_reason reason = AW_REASON_NONE;
    uint64_t count = 0;
  };
  std::vector<Loss> lost;           ///< of each action and reason once
  bool lost_is_all = false;         ///< else others may have passed unseen
  std::optional<uint64_t> arrivals; ///< connections that came, and packets that found no room
  std::optional<uint64_t> accepts;
  std::optional<Percentiles> waits; ///< in the accept queue, of those accepted
};

/// A listener in the report at the end: what it went through.
struct ListenerReport {
  Address address;
  uint16_t port = 0;
  uint32_t netns = 0;
  std::optional<Owner> owner;
  std::optional<Queue> accept_queue; ///< as it was seen last
  uint32_t accept_peak = 0;          ///< the greatest depth seen
  uint32_t accept_peak_limit = 0;    ///< the limit that it had then
  uint32_t syn_peak = 0;
  uint64_t lost = 0;                    ///< packets dropped and resets sent
  bool lost_is_all = true;              ///< else others may have passed unseen
  std::optional<uint64_t> accepted;     ///< connections that accept() returned, and were seen
  bool derived = false;                 ///< accept() is not seen: from looks at the queues
  std::optional<double> oldest_seconds; ///< the longest that a head of its queue was seen to wait
  std::optional<Flow> flow;
  std::optional<Percentiles> waits;     ///< in the accept queue
  std::optional<Percentiles> handshake; ///< from the SYN-ACK to the client's answer
  std::vector<uint64_t> histogram;      ///< of waits, by the buckets of histogram.h
};

/// About each cause one of three things is known.
enum class CauseState {
  holds,    ///< it was seen
  excluded, ///< it was not seen, and would have been
  unseen,   ///< it could not be seen
};

struct CauseJudgement {
  std::string_view cause; ///< a name in the table of causes
  CauseState state = CauseState::unseen;
  std::string what; ///< a sentence: with the numbers that speak against it, or why it is not seen
};

/// A counter of the kernel's that has grown, though no record says of whom.
struct EvidenceSeen {
  std::string_view name; ///< the kernel's own
  uint64_t count = 0;
  std::string_view what;   ///< of so many packets
  std::string_view advice; ///< a sentence
};

/// How a run ends for somebody who asked what is wrong.
enum class Outcome {
  found,   ///< something was found
  well,    ///< nothing is wrong, and it would have been seen
  unknown, ///< nothing was found, but not everything could be seen
};

/// The state of a run at one instant; at its end, the last record.
struct Snapshot {
  Timestamp time = 0;
  double seconds = 0;   ///< how long was watched
  uint64_t records = 0; ///< event records written
  uint64_t lost = 0;    ///< occurrences that no record stands for
  std::vector<Total> totals;
  std::vector<ListenerReport> listeners; ///< those with losses first, then the slowest
  std::vector<Event> findings;           ///< each that was true, as it was last
  std::vector<CauseJudgement> causes;    ///< every cause that is known of
  std::vector<EvidenceSeen> evidence;    ///< counters that have grown and no record accounts for
  std::vector<Total> seen;               ///< events of what was asked for, most of them first
  std::optional<Owner> owner;            ///< of who listens at the place that is explained
  std::optional<uint64_t> arrived;       ///< handshakes that came through; absent: not known
  bool after_accept = false;             ///< what owners close at once was watched
  Outcome outcome = Outcome::unknown;
  std::optional<Audit> audit;
};

} // namespace acceptwatch
