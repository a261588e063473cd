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
};

} // namespace acceptwatch
