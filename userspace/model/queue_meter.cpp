// SPDX-License-Identifier: Apache-2.0
#include "model/queue_meter.h"

#include <algorithm>

namespace acceptwatch {

void QueueMeter::look(const QueueLook& look) {
  if (look.at_ns <= last_.at_ns)
    return;
  const double seconds = static_cast<double>(look.at_ns - last_.at_ns) / 1e9;
  const uint64_t entered = look.entered - std::min(look.entered, last_.entered);
  seconds_ += seconds;
  waited_ += seconds * static_cast<double>(last_.depth + look.depth) / 2;
  entered_ += entered;
  accepted_ += static_cast<int64_t>(entered + last_.depth) - static_cast<int64_t>(look.depth);
  ++looks_;
  last_ = look;
}

Flow QueueMeter::flow() const {
  Flow flow;
  flow.seconds = seconds_;
  flow.entered = entered_;
  flow.full = full_;
  flow.accepted = static_cast<uint64_t>(std::max<int64_t>(accepted_, 0));
  flow.looks = looks_;
  if (looks_ < least_looks || accepted_ < least_accepted)
    return flow;
  const double mean = waited_ / static_cast<double>(accepted_);
  if (mean <= seconds_)
    flow.mean_wait_seconds = mean;
  return flow;
}

} // namespace acceptwatch
