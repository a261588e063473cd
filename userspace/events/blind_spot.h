// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <string>

namespace acceptwatch {

/// Something a tier does not see. No reason or stage: all of them. With a field,
/// only that field is absent from records.
struct BlindSpot {
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
  std::string field;
  std::string why;
  std::string remedy;
};

} // namespace acceptwatch
