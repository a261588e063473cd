// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/time.h"
#include "kernel/control.h"
#include "model/table.h"

#include <functional>
#include <map>

namespace acceptwatch {

/// Warnings before a queue is full: their begin is a record, their end is seen by looking.
class PressureWarnings {
public:
  using Tell = std::function<void(const Event&)>;

  /// `percent` of a queue's limit, at which the kernel programs warn.
  PressureWarnings(uint8_t percent, KernelControl& control, const ListenerTable& table)
      : percent_(percent), control_(control), table_(table) {}

  [[nodiscard]] bool is_there() const { return !pressed_.empty(); }

  /// A record of AW_QUEUE_PRESSURE.
  void begin(const Event& event, uint64_t at_ns);
  /// A record of that listener, whatever it is of, showed its queues.
  void note_depths(const Event& event);
  /// The listener was closed.
  void end(uint64_t listener, uint64_t at_ns, const Instant& now, const Tell& tell);
  /// The table has the queues as a look has just found them.
  void end_relieved(const Instant& now, const Tell& tell);
  /// Where nobody looks at the queues it is forgotten after a while, and told anew.
  void forget_unseen(uint64_t now_ns);

private:
  struct Pressed {
    uint64_t begun_ns = 0;
    uint32_t accept_peak = 0; ///< as records and their depths showed it
    uint32_t syn_peak = 0;
    Event begin; ///< as it was told
  };
  [[nodiscard]] bool is_relieved(const Pressed& pressed, const ListenerState& state) const;

  uint8_t percent_;
  KernelControl& control_;
  const ListenerTable& table_;
  std::map<uint64_t, Pressed> pressed_; ///< by aw_listener.id
};

} // namespace acceptwatch
