// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/state_looks.h"
#include "events/event.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace acceptwatch {

/// How often something was seen, and when. Times are CLOCK_BOOTTIME in nanoseconds.
struct Seen {
  uint64_t count = 0;
  uint64_t first_ns = 0;
  uint64_t last_ns = 0;

  void add(uint64_t occurrences, uint64_t at_ns) {
    if (!count)
      first_ns = at_ns;
    count += occurrences;
    last_ns = at_ns;
  }
};

/// Packets that were refused for one reason: how many of each kind, and of the last of them what
/// its record had.
struct Refused {
  std::array<uint64_t, AW_NR_STAGES> packets{};
  std::string device;            ///< empty: not known
  std::optional<Address> server; ///< that it was sent to, or came from
  std::optional<Address> client;
  aw_hook hook = AW_HOOK_UNKNOWN;
  std::optional<OldConnection> old_connection;
  std::optional<Translation> translation;
  bool is_passing = false; ///< on its way through this host
};

/// Connections that their owner closed within a moment of accept(), and did not serve.
struct EarlyCloses {
  std::array<uint64_t, AW_NR_REASONS> reasons{};
  uint64_t read = 0; ///< of these, how many had data read
  double longest_seconds = 0;
  bool since_accept = false;
  std::optional<ListenerEnd> closer; ///< of the last of them
  // Of those that were accepted there: the first that was closed so, and the last.
  std::optional<uint64_t> first_number;
  std::optional<uint64_t> last_number;
};

/// What a number has to reach for a rule to hold.
struct Thresholds {
  uint64_t hold_ns = 10'000'000'000; ///< what was not seen for so long is over
  double stall_seconds = 1;          ///< nothing accepted for so long, while some wait
  double slow_seconds = 0.5;         ///< who waits longer for accept() waits long
  double former_seconds = 60;        ///< a listener that closed so long ago left a gap
  uint64_t failed_handshakes = 3;    ///< SYNs to a closed port, SYN-ACKs sent again
  uint64_t flood = 100;              ///< unanswered handshakes
  size_t deaths = 3;                 ///< of processes that listened there
  double deaths_seconds = 600;       ///< in so long
};

/// What is known of one listener, or of a place where nobody listens, since its trouble
/// began. Absent: not known.
struct Facts {
  uint64_t now_ns = 0;
  bool listening = false;

  // What was lost.
  Seen overflow;                  ///< listen_drop for a full accept queue, at whatever packet
  Seen aborted;                   ///< reset instead (tcp_abort_on_overflow)
  Seen syn_drops;                 ///< listen_drop for a full SYN queue, or its reserved quarter
  Seen cookies;                   ///< syncookie_sent for a full SYN queue
  Seen silent;                    ///< SYN-ACKs sent again to clients that did not answer
  uint64_t silent_handshakes = 0; ///< of these the first ones, one for each handshake
  Seen expired;                   ///< of these, handshakes that were given up
  Seen refused;                   ///< reset_sent for no_listener
  Seen rejected;                  ///< reset_sent for firewall; the same SYNs may be in `dropped`
  Seen lost_at_close;             ///< connections that were lost when the listener was closed
  Seen died;                      ///< of a place: processes that listened there and died
  Seen closed_early;              ///< closed_after_accept, but for services that write and close
  EarlyCloses early;
  std::array<Seen, AW_NR_REASONS> dropped; ///< listen_drop for any other reason
  std::map<aw_reason, Refused> refusals;   ///< of these
  size_t clients = 0;                      ///< different addresses among them, at most max_clients
  static constexpr size_t max_clients = 64;

  // The queues.
  std::optional<Queue> accept_queue; ///< as it was last
  std::optional<Queue> syn_queue;
  uint32_t accept_peak = 0;
  uint32_t syn_peak = 0;
  double oldest_seconds = 0;         ///< the longest that a head of the accept queue had waited
  double waiting_seconds = 0;        ///< how long the one now has; 0: none waits
  double idle_seconds = 0;           ///< for how long nothing was accepted while some waited
  uint64_t heads = 0;                ///< how often another connection was seen at the head
  uint64_t drained_ns = 0;           ///< when the accept queue was last seen at most half full
  std::optional<double> accept_rate; ///< connections a second, where accept() is seen

  // Settings, and whoever shares them.
  std::optional<uint32_t> backlog; ///< listen()'s, before any cap
  std::optional<uint32_t> somaxconn;
  std::optional<uint8_t> syncookies;
  unsigned members = 1;      ///< of its SO_REUSEPORT group
  unsigned idle_members = 0; ///< others of it, at most half full
  /// Another process of the group, that was started later; and by how much.
  std::optional<Owner> newer_owner;
  double newer_by_seconds = 0;
  std::optional<uint32_t> limit_before; ///< before another listen() changed it
  std::optional<Owner> lost_opener;     ///< who called listen(), and has exited

  std::optional<uint64_t> arrived; ///< handshakes that came through meanwhile
  uint64_t flooded_ns = 0;         ///< when a SYN flood was last seen
  std::string kernel_reason;       ///< of the last packet dropped for AW_OTHER

  // Of the namespace since the start: cookies that were sent, and came back.
  std::optional<uint64_t> cookies_sent;
  std::optional<uint64_t> cookies_returned;

  std::optional<ConntrackTable> conntrack; ///< of the namespace, where its firewall drops
  uint64_t conntrack_dropped = 0;          ///< packets for want of room in it, since the start
  std::optional<Chain> chain;              ///< of nf_tables, that dropped the last packet
  std::optional<Owner> owner;
  StateLooks states;                    ///< of the owner, while nothing or little is accepted
  std::optional<FileShortage> shortage; ///< what accept() of a holder fails for
  std::optional<FormerListener> former; ///< who listened there, at the first refusal
  std::optional<double> gap_seconds;    ///< until somebody listened again
  bool former_lives = false;            ///< who closed the listener runs on
  std::optional<uint32_t> reopened_by;  ///< the process that listened again
  std::optional<ListenerEnd> end;       ///< of a listener that is closed
  /// Of processes that listened there, one after the other, those that died lately: the last of
  /// them, the oldest first.
  std::vector<ListenerEnd> deaths;
  /// The addresses that refused clients came to: the first few, at most max_refused_at.
  std::vector<Address> refused_at;
  std::optional<Translation> refused_behind; ///< by which the last of them came there
  static constexpr size_t max_refused_at = 4;
  /// Listeners of this host with the same port that do not take what comes to that address: at
  /// most max_elsewhere.
  struct Elsewhere {
    Address address;
    bool other_netns = false;
    std::optional<Owner> owner;
  };
  std::vector<Elsewhere> elsewhere;
  static constexpr size_t max_elsewhere = 3;
};

} // namespace acceptwatch
