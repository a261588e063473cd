// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <optional>
#include <vector>

namespace acceptwatch {

/// Looks at what the owner's threads do, weighed over an incident: the last may be the one that
/// says least.
class StateLooks {
public:
  void add(const OwnerState& state);

  /// The most telling of what was so in a third of the looks at least, as it was last. Null: there
  /// was no look.
  [[nodiscard]] const OwnerState* telling() const;
  /// In how many looks it was so, of how many.
  [[nodiscard]] size_t alike() const;
  [[nodiscard]] size_t looks() const { return looks_; }
  /// As it was at the last look.
  [[nodiscard]] const OwnerState* last() const;

private:
  struct Kind {
    int rank = 0; ///< the least number tells most
    Activity activity = Activity::unknown;
    OwnerState state;
    size_t looks = 0;
    size_t last = 0; ///< the number of the last of these
  };
  [[nodiscard]] const Kind* telling_kind() const;

  std::vector<Kind> kinds_; ///< a few: one for each activity and rank
  size_t looks_ = 0;
};

} // namespace acceptwatch
