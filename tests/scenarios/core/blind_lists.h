// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/blind.h"

namespace acceptwatch::scenarios {

// A file of tests/scenarios/blind, built in: a guest has nothing but this program.
struct BlindList {
  const char* name; // kernel, tier and perhaps a condition: "6.12-fentry-lockdown"
  const char* text;
};
extern const std::vector<BlindList> blind_lists;
extern const char* const exact_races; // tests/scenarios/races.tsv

// Columns: action, reason, stage, field; "-" stands for all. Throws Failure for anything else.
std::vector<BlindSpot> parse_blind_list(const std::string& text);
std::string to_blind_list(const std::vector<BlindSpot>& spots);

} // namespace acceptwatch::scenarios
