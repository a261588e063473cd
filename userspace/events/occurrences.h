// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <array>
#include <span>

namespace acceptwatch {

/// What can happen, for which reason, and at which packet of the handshake.
struct Occurrence {
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE; ///< none: the action has no reasons
  /// AW_STAGE_NONE after the last; none at all: its records have no stage.
  std::array<aw_stage, 3> stages{};
};

/// The closed set. Schema, manual and documents are checked against it.
[[nodiscard]] std::span<const Occurrence> occurrences();

} // namespace acceptwatch
