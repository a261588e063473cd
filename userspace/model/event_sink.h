// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

namespace acceptwatch {

/// Whoever wants to hear what happens, when it happens.
class EventSink {
public:
  EventSink() = default;
  virtual ~EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  virtual void take(const Event& event) = 0;
  virtual void take(const Lost& lost) = 0;
  /// A listener's last interval; who does not care need not listen.
  virtual void sampled(const Sample& sample) { static_cast<void>(sample); }
  /// Every minute: the kernel's counters against what was told.
  virtual void audited(const Audit& audit) { static_cast<void>(audit); }
};

} // namespace acceptwatch
