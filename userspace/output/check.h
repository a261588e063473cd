// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/blind_spot.h"
#include "events/event.h"
#include "output/json_parts.h"

#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// One fact that was found by looking.
struct Fact {
  std::string name;
  std::string value;
};

/// Whether a tier would work here.
struct TierReport {
  aw_source tier = AW_SOURCE_POLL;
  bool available = false;
  std::string why;    ///< it is not
  std::string remedy; ///< what to do about that
};

/// What `acceptwatch check` prints.
struct CheckReport {
  Origin origin;
  std::string kernel;
  std::vector<Fact> facts;
  std::vector<TierReport> tiers;
  std::optional<aw_source> chosen;
  std::vector<std::string> probes;
  std::vector<BlindSpot> blind;
  std::string error; ///< why nothing was chosen
  std::string advice;
};

[[nodiscard]] std::string check_as_json(const CheckReport& report);
[[nodiscard]] std::string check_as_text(const CheckReport& report);

} // namespace acceptwatch
