// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/expectation.h"

namespace acceptwatch::scenarios {

// One thing that a tier cannot see. An absent part means all.
struct BlindSpot {
  std::string action;
  std::string reason;
  std::string stage;
  std::string field; // only this field of such records may be absent
  std::string why;

  bool covers(const Expectation& expected) const;
  // Whatever the reason given.
  bool operator==(const BlindSpot& other) const;
  std::string text() const;
};

// What `acceptwatch check --probes TIER -j` said.
struct Check {
  int exit_status = 0;
  std::string complaints; // of a check that failed
  std::string tier;
  std::vector<BlindSpot> blind;
};

// Throws Failure when it is not the object that the interface promises.
Check parse_check(const std::string& json, int exit_status);

// `acceptwatch.blind` of a start record; nothing where the record does not have it.
std::optional<std::vector<BlindSpot>> blind_of_start(const std::string& line);

// Whether such records are not seen at all.
bool is_blind(const std::vector<BlindSpot>& blind, const Expectation& expected);
// Whether this field may be absent from such records.
bool is_blind(const std::vector<BlindSpot>& blind, const Expectation& expected,
              const std::string& field);

} // namespace acceptwatch::scenarios
