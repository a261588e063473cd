// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/judge.h"
#include "core/options.h"
#include "core/sight.h"

namespace acceptwatch::scenarios {

// Prints what became of each scenario, and counts.
class Tally {
public:
  explicit Tally(const Options& options) : options_(options) {}

  void take(const std::string& name, const Verdict& verdict, const std::string& counts);
  void take_skip(const std::string& name, const std::string& why);
  // A tier that cannot be played at all.
  void take_refusal(const Sight& sight);
  // That acceptwatch is blind to what it is known to be blind to.
  void take_comparison(const Sight& sight);
  // "N passed, N failed, N skipped".
  void print_sums() const;

  int passed() const { return passed_; }
  int failed() const { return failed_; }

private:
  const Options& options_;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
  int blind_ = 0; // of those that passed: with something that cannot be seen here
};

} // namespace acceptwatch::scenarios
