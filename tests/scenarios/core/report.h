// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/expectation.h"

namespace acceptwatch::scenarios {

// What happened in one network namespace of a scenario.
struct WorldReport {
  uint64_t netns = 0;
  std::vector<Expectation> expected;
  // Counter movements that no record explains: the test's own clients, packets that are no loss.
  std::map<std::string, int64_t> beside;
  std::map<std::string, int64_t> measured;
  // Whatever else moved: told when the counters do not agree.
  std::string moved;
  // Nothing at all may be recorded beside what is expected, early warnings included.
  bool quiet = false;
  // `expected` is what may happen, with counts of 0: how often it did, the kernel's counters say.
  bool by_chance = false;
};

enum class Outcome { done, failed, skipped };

// What a scenario's process tells the one that judges it.
struct Report {
  Outcome outcome = Outcome::done;
  std::string why;
  std::vector<std::string> failures;
  std::vector<WorldReport> worlds;
};

std::string to_json(const Report& report);
// Throws Failure for anything that to_json() did not write.
Report report_from_json(const std::string& text);

} // namespace acceptwatch::scenarios
