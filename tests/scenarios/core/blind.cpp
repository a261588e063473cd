// SPDX-License-Identifier: Apache-2.0
#include "core/blind.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include <algorithm>
#include <tuple>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

std::string string_at(const rapidjson::Value& from, const char* key) {
  return from.HasMember(key) && from[key].IsString() ? from[key].GetString() : "";
}

// "acceptwatch.accept_queue" stands for its depth and its limit.
bool names_field(const std::string& blind_field, const std::string& field) {
  return field == blind_field || field.rfind(blind_field + ".", 0) == 0;
}

std::vector<BlindSpot> spots_of(const rapidjson::Value& array, const std::string& who) {
  if (!array.IsArray()) {
    throw Failure(who + " has no array \"blind\"");
  }
  std::vector<BlindSpot> spots;
  for (const auto& spot : array.GetArray()) {
    spots.push_back({string_at(spot, "action"), string_at(spot, "reason"), string_at(spot, "stage"),
                     string_at(spot, "field"), string_at(spot, "why")});
    // A start record has its bound: why a field is absent is left out first, and `check` says it.
    const bool may_be_brief = who == "`start`" && !spots.back().field.empty();
    if (spots.back().action.empty() || (spots.back().why.empty() && !may_be_brief)) {
      throw Failure(who + " names a blind spot without an action, or does not say why");
    }
  }
  return spots;
}

} // namespace

bool BlindSpot::covers(const Expectation& expected) const {
  return action == expected.action && (reason.empty() || reason == expected.reason) &&
         (stage.empty() || stage == expected.stage);
}

std::string BlindSpot::text() const {
  std::string out = action;
  out += reason.empty() ? "" : "/" + reason;
  out += stage.empty() ? "" : " at stage " + stage;
  out += field.empty() ? "" : ", " + field;
  return out + (why.empty() ? "" : ": " + why);
}

bool BlindSpot::operator==(const BlindSpot& other) const {
  return std::tie(action, reason, stage, field) ==
         std::tie(other.action, other.reason, other.stage, other.field);
}

Check parse_check(const std::string& json, int exit_status) {
  rapidjson::Document document;
  document.Parse(json.c_str(), json.size());
  if (document.HasParseError() || !document.IsObject()) {
    throw Failure("`check -j` did not print one JSON object: " + json);
  }
  Check check;
  check.exit_status = exit_status;
  check.tier = string_at(document, "tier");
  if (!document.HasMember("blind")) {
    throw Failure("`check -j` does not say what it is blind to: " + json);
  }
  check.blind = spots_of(document["blind"], "`check -j`");
  return check;
}

std::optional<std::vector<BlindSpot>> blind_of_start(const std::string& line) {
  rapidjson::Document document;
  document.Parse(line.c_str(), line.size());
  const auto* blind = rapidjson::Pointer("/acceptwatch/blind").Get(document);
  if (blind == nullptr) {
    return std::nullopt;
  }
  // Fields of one kind of event stand in one entry there.
  std::vector<BlindSpot> spots;
  for (const BlindSpot& joined : spots_of(*blind, "`start`")) {
    for (size_t begin = 0; begin <= joined.field.size();) {
      const size_t end = std::min(joined.field.find(", ", begin), joined.field.size());
      BlindSpot& spot = spots.emplace_back(joined);
      spot.field = joined.field.substr(begin, end - begin);
      begin = end + 2;
    }
  }
  return spots;
}

bool is_blind(const std::vector<BlindSpot>& blind, const Expectation& expected) {
  return std::any_of(blind.begin(), blind.end(), [&](const BlindSpot& spot) {
    return spot.field.empty() && spot.covers(expected);
  });
}

bool is_blind(const std::vector<BlindSpot>& blind, const Expectation& expected,
              const std::string& field) {
  return std::any_of(blind.begin(), blind.end(), [&](const BlindSpot& spot) {
    return !spot.field.empty() && names_field(spot.field, field) && spot.covers(expected);
  });
}

} // namespace acceptwatch::scenarios
