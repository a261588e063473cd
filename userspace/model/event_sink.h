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
  /// A listener's last interval.
  virtual void sampled(const Sample& sample) = 0;
  /// Every minute: the kernel's counters against what was told.
  virtual void audited(const Audit& audit) = 0;
};

} // namespace acceptwatch
