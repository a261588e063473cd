// SPDX-License-Identifier: Apache-2.0
#include "output/blind.h"

#include "events/names.h"
#include "output/json_parts.h"

#include <algorithm>
#include <vector>

namespace acceptwatch {
namespace {

/// Fields of one kind of event, absent for one reason, in one entry: "client.address, client.port".
/// Without reasons (`say_why`) more of them go together.
std::vector<BlindSpot> joined_fields(std::span<const BlindSpot> blind, bool say_why) {
  std::vector<BlindSpot> joined;
  for (const BlindSpot& spot : blind) {
    const auto same = std::ranges::find_if(joined, [&](const BlindSpot& one) {
      return !one.field.empty() && !spot.field.empty() && one.action == spot.action &&
             one.reason == spot.reason && one.stage == spot.stage &&
             (one.why == spot.why || !say_why);
    });
    if (same == joined.end())
      joined.push_back(spot);
    else
      same->field += ", " + spot.field;
  }
  return joined;
}

/// Where less is allowed, the reasons of absent fields are left out before those of events.
constexpr size_t least_for_fields = 100;
/// Where nothing is allowed, absent fields are left out altogether: `check` has them. That is so on
/// kernels without drop reasons under lockdown=confidentiality.
constexpr size_t least_why = 10;

} // namespace

void write_blind(JsonWriter& json, std::span<const BlindSpot> blind, BlindDetail detail,
                 size_t longest_why) {
  json.begin_array("blind");
  const bool briefly = detail == BlindDetail::why; // the line of a start record has its bound
  const bool fields_say_why = longest_why >= least_for_fields;
  const bool without_fields = longest_why < least_why;
  for (const auto& spot : briefly ? joined_fields(blind, fields_say_why)
                                  : std::vector<BlindSpot>{blind.begin(), blind.end()}) {
    if (without_fields && !spot.field.empty())
      continue;
    json.begin_object();
    json.member("action", name_of(spot.action));
    json.known("reason", name_of(spot.reason));
    json.known("stage", name_of(spot.stage));
    json.known("field", spot.field);
    if (spot.field.empty() || fields_say_why)
      json.member("why", fitting(spot.why, std::max(longest_why, least_why)));
    if (detail == BlindDetail::with_remedy)
      json.known("remedy", spot.remedy);
    json.end_object();
  }
  json.end_array();
}

} // namespace acceptwatch
