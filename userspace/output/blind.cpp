// SPDX-License-Identifier: Apache-2.0
#include "output/blind.h"

#include "events/names.h"
#include "output/json_parts.h"

namespace acceptwatch {

void write_blind(JsonWriter& json, std::span<const BlindSpot> blind, BlindDetail detail,
                 size_t longest_why) {
  json.begin_array("blind");
  for (const auto& spot : blind) {
    json.begin_object();
    json.member("action", name_of(spot.action));
    json.known("reason", name_of(spot.reason));
    json.known("stage", name_of(spot.stage));
    json.known("field", spot.field);
    json.member("why", fitting(spot.why, longest_why));
    if (detail == BlindDetail::with_remedy)
      json.known("remedy", spot.remedy);
    json.end_object();
  }
  json.end_array();
}

} // namespace acceptwatch
