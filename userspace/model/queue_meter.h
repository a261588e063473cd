// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

namespace acceptwatch {

/// The accept queues of all listeners of a port at one instant.
struct QueueLook {
  uint64_t at_ns = 0; ///< CLOCK_BOOTTIME
  uint64_t depth = 0;
  uint64_t entered = 0; ///< connections that entered them since some time in the past
};

/// What looks at a queue and a count of arrivals tell of those who leave it, whom nobody sees.
///
/// As many were accepted as entered, less those by which the queue has grown: exact, but for what
/// happens between the two readings of one look. How long they waited follows from Little's law,
/// whatever the distributions and the order are: the mean wait is the mean depth divided by the
/// rate at which connections are accepted. The mean depth is that of the looks, with trapezoids in
/// between. Its error falls with the square root of the number of looks that are far enough apart
/// to be independent. Connections that waited before the first look or wait after the last one are
/// counted for a part of their time only, so stretches have to be longer than waits.
class QueueMeter {
public:
  /// What lies between the last look and this one is left out.
  void resume(const QueueLook& look) { last_ = look; }
  /// Goes on from the last look to this one.
  void look(const QueueLook& look);
  /// So many packets found the queue full.
  void full(uint64_t packets) { full_ += packets; }

  /// The mean wait is absent if too few looks or accepted connections would carry it, or if it
  /// were longer than what was watched.
  [[nodiscard]] Flow flow() const;

  static constexpr uint64_t least_looks = 10;
  static constexpr int64_t least_accepted = 10;

private:
  QueueLook last_;
  double seconds_ = 0;
  double waited_ = 0; ///< seconds, of all connections together
  uint64_t looks_ = 0;
  uint64_t entered_ = 0;
  uint64_t full_ = 0;
  /// The two readings of a look are not of the same instant: less than 0 for a moment.
  int64_t accepted_ = 0;
};

} // namespace acceptwatch
