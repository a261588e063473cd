// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/event_sink.h"

#include <vector>

namespace acceptwatch::unit {

/// Remembers what it is told.
class CollectingSink final : public EventSink {
public:
  std::vector<Event> events;
  std::vector<Lost> lost;
  std::vector<Sample> samples;
  std::vector<Audit> audits;

  void take(const Event& event) override { events.push_back(event); }
  void take(const Lost& one) override { lost.push_back(one); }
  void sampled(const Sample& one) override { samples.push_back(one); }
  void audited(const Audit& one) override { audits.push_back(one); }
};

} // namespace acceptwatch::unit
