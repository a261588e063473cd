// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/time.h"
#include "host/host.h"
#include "kernel/control.h"
#include "model/queue_meter.h"
#include "model/table.h"

#include <map>

namespace acceptwatch {

/// How many connections come to listeners, and are accepted. Where accept() is seen: of each
/// listener, all the while. Elsewhere: of the listeners of a port together, while connections
/// wait there; so a host that is well pays nothing.
class Flows {
public:
  Flows(bool sees_accept, const Host& host, KernelControl& control, const ListenerTable& table)
      : sees_accept_(sees_accept), host_(host), control_(control), table_(table) {}

  using Wanted = std::function<bool(const Listener&)>;

  void note(const Event& event, uint64_t at_ns);
  /// A look at all listeners, which began at `look_ns`, has shown the queues anew. `wanted` says of
  /// which listeners somebody wants to hear.
  void take_look(uint64_t look_ns, const Instant& now, const Wanted& wanted);
  /// Counts connections that enter the queues of a port for good, not just while some wait.
  void keep_counting(uint32_t netns, uint16_t port);
  /// So many entered the queues of a port since they are counted there, as of the last look.
  [[nodiscard]] std::optional<uint64_t> arrivals_at(uint32_t netns, uint16_t port) const;
  /// So many were counted there, as of the last look. Absent: they are not counted.
  [[nodiscard]] std::optional<uint64_t> kept_arrivals() const;
  /// Looks that come often are worth their while.
  [[nodiscard]] bool measuring() const { return running_ != 0; }

  /// `accepted` is absent where accept() is not seen, or the listener accepted nothing; `full` is
  /// the number of packets that found its accept queue full. Absent: not known.
  [[nodiscard]] std::optional<Flow> of(const Listener& listener, std::optional<uint64_t> accepted,
                                       uint64_t full) const;

private:
  /// How long a listener was watched, and how its accept queue was then.
  struct Span {
    uint64_t first_ns = 0;
    uint64_t last_ns = 0;
    uint32_t first_depth = 0;
    uint32_t last_depth = 0;
  };
  using Place = std::pair<uint32_t, uint16_t>; ///< network namespace and port
  struct Metered {
    QueueMeter meter;
    bool runs = false;
    bool kept = false;             ///< it does not stop
    uint64_t entered = 0;          ///< since it began, as of the last look
    uint64_t waited_ns = 0;        ///< when a connection was last seen to wait
    std::vector<uint64_t> members; ///< ids of the listeners there
  };
  /// The listeners of a port at a look.
  struct PortLook {
    QueueLook look;
    std::vector<uint64_t> members;
    bool waits = false; ///< a connection does, in the queue of one that is wanted
  };

  [[nodiscard]] static bool is_shown(const Listener& listener, uint64_t look_ns);
  [[nodiscard]] static bool waits(const ListenerState& state, const Instant& now);
  [[nodiscard]] bool anybody_waits(uint64_t look_ns, const Instant& now,
                                   const Wanted& wanted) const;
  void extend(const Listener& listener);
  [[nodiscard]] std::map<Place, PortLook> by_port(uint64_t look_ns, const Instant& now,
                                                  const Wanted& wanted) const;
  void measure(const Place& place, PortLook& port);
  void stop_idle(uint64_t now_ns);

  const bool sees_accept_;
  const Host& host_;
  KernelControl& control_;
  const ListenerTable& table_;
  std::map<uint64_t, Span> spans_; ///< by aw_listener.id
  std::map<Place, Metered> meters_;
  size_t running_ = 0;
};

} // namespace acceptwatch
