// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/blind.h"
#include "core/options.h"

namespace acceptwatch::scenarios {

// What can be expected of acceptwatch here. What it says of itself is compared with a list that
// people have looked at, and that list decides.
struct Sight {
  Check check;                       // what acceptwatch says
  std::string list;                  // which list holds here, as "6.12-tracepoint-no_cgroup2"
  std::vector<BlindSpot> blind;      // what that says
  std::vector<std::string> failures; // where the two differ, or that there is no list

  bool is_refused() const { return check.exit_status != 0; }
  bool is_known() const { return !list.empty(); }
  // For messages, where the tier is refused or the list does not hold.
  std::string trouble() const;
};

// The condition of scenarios that are played with --after-accept.
inline constexpr const char* asks_after_accept = "after_accept";

// Asks `acceptwatch check`. `condition` is what the caller has changed about this host, beside what
// is found by looking at it.
Sight look(const Options& options, const std::string& condition = {});

// Major and minor number of the kernel: what lists are called after.
std::string kernel_series();

// The tiers that there are lists for on this kernel, one that polls left out.
std::vector<std::string> known_tiers();

// Whether races.tsv says that this race's counts are exact on this kernel.
bool is_exact_race(const std::string& tier, const std::string& name);

// How what `who` says differs from the list.
std::vector<std::string> differences(const std::vector<BlindSpot>& list,
                                     const std::vector<BlindSpot>& said, const std::string& who);

} // namespace acceptwatch::scenarios
