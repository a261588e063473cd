// SPDX-License-Identifier: Apache-2.0
#include "output/check.h"

#include "events/names.h"
#include "output/blind.h"

#include <fmt/format.h>
#include <iterator>

namespace acceptwatch {
namespace {

std::string blind_name(const BlindSpot& spot) {
  std::string name{name_of(spot.action)};
  if (spot.reason != AW_REASON_NONE)
    name += fmt::format("/{}", name_of(spot.reason));
  if (spot.stage != AW_STAGE_NONE)
    name += fmt::format(" at stage {}", name_of(spot.stage));
  if (!spot.field.empty())
    name += fmt::format(": no {}", spot.field);
  return name;
}

void write_tiers(JsonWriter& json, const CheckReport& report) {
  json.begin_object("tiers");
  for (const auto& tier : report.tiers) {
    json.begin_object(name_of(tier.tier));
    json.member("available", tier.available);
    json.known("why", tier.why);
    json.known("remedy", tier.remedy);
    json.end_object();
  }
  json.end_object();
}

} // namespace

std::string check_as_json(const CheckReport& report) {
  std::string out;
  JsonWriter json{out};
  json.begin_object();
  write_time_and_host(json, report.origin.time, report.origin.host);
  json.member("version", report.origin.version);
  json.member("schema", "1");
  json.member("kernel", report.kernel);
  json.member("usable", report.chosen.has_value());
  if (report.chosen)
    json.member("tier", name_of(*report.chosen));
  json.known("error", report.error);
  json.known("advice", report.advice);
  json.begin_object("features");
  for (const auto& [name, value] : report.facts)
    json.member(name, value);
  json.end_object();
  write_tiers(json, report);
  json.begin_array("probes");
  for (const auto& probe : report.probes)
    json.string(probe);
  json.end_array();
  if (report.chosen)
    write_blind(json, report.blind, BlindDetail::with_remedy);
  json.end_object();
  out.push_back('\n');
  return out;
}

std::string check_as_text(const CheckReport& report) {
  std::string out =
      fmt::format("acceptwatch {} on kernel {}\n\n", report.origin.version, report.kernel);
  const auto append = std::back_inserter(out);
  for (const auto& [name, value] : report.facts)
    fmt::format_to(append, "  {:<24} {}\n", name, value);
  out += "\nTiers, best first\n";
  for (const auto& tier : report.tiers) {
    const bool chosen = report.chosen == tier.tier;
    fmt::format_to(append, "{} {:<12} {}\n", chosen ? "*" : " ", name_of(tier.tier),
                   tier.available ? "works" : tier.why);
    if (!tier.available && !tier.remedy.empty())
      fmt::format_to(append, "  {:<12} {}\n", "", tier.remedy);
  }
  if (!report.chosen) {
    fmt::format_to(append, "\n{}.\n{}\n", report.error, report.advice);
    return out;
  }
  fmt::format_to(append, "\nProbes of tier {}\n", name_of(*report.chosen));
  for (const auto& probe : report.probes)
    fmt::format_to(append, "  {}\n", probe);
  out += report.blind.empty() ? "\nNothing of what it watches for is out of its sight.\n"
                              : "\nWhat it cannot see\n";
  for (const auto& spot : report.blind) {
    fmt::format_to(append, "  {}\n      {}\n", blind_name(spot), spot.why);
    if (!spot.remedy.empty())
      fmt::format_to(append, "      {}\n", spot.remedy);
  }
  return out;
}

} // namespace acceptwatch
