// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace acceptwatch {

/// Some services open and close ports all the time, one for each transfer, as FTP does in passive
/// mode: told one by one these would hide what else happens. Once a service has been seen to do so,
/// its next listeners are told together: those that are soon closed again, and took nothing with
/// them. One that stays, or of which something else is told, is told as any other.
class BriefListeners {
public:
  using Tell = std::function<void(const Event&)>;

  /// A listener_opened or a listener_closed: it is told, kept for a while, or counted.
  void take(const Event& event, uint64_t at_ns, const Tell& tell);
  /// Something else is about to be told of that listener.
  void release(uint64_t listener, const Tell& tell);
  /// Tells what has stayed, and what has come together.
  void tick(uint64_t now_ns, const Tell& tell);
  /// Tells all that is left.
  void finish(const Tell& tell);

private:
  /// The name of the owner, in a network namespace.
  using Service = std::pair<uint32_t, std::string>;
  struct Life {
    uint64_t ended_ns;
    uint16_t port;
  };
  struct Habit {
    std::deque<Life> brief; ///< the last few
    uint64_t together = 0;  ///< listeners that were opened, closed, and not told
    Event opened;           ///< of the last of them
    Event closed;
    uint64_t told_ns = 0;
  };
  struct Opened {
    uint64_t at_ns;
    std::optional<Event> held; ///< it is not told yet
  };

  [[nodiscard]] static bool is_habit(const Habit& habit, uint64_t now_ns);
  void open(const Event& event, uint64_t at_ns, const Tell& tell);
  void close(const Event& event, uint64_t at_ns, const Tell& tell);
  static void tell_together(Habit& habit, const Service& service, const Tell& tell);

  std::map<Service, Habit> habits_;
  std::map<uint64_t, Opened> opened_; ///< by aw_listener.id
};

} // namespace acceptwatch
