// SPDX-License-Identifier: Apache-2.0
#include "core/tally.h"

#include <fnmatch.h>

#include <algorithm>
#include <iostream>

#include "core/error.h"

namespace acceptwatch::scenarios {

void Tally::take(const std::string& name, const Verdict& verdict, const std::string& counts) {
  constexpr size_t most_reasons = 12;
  if (verdict.failures.empty()) {
    std::cout << "ok   " << name << "  (" << counts << ")\n";
    ++passed_;
    blind_ += verdict.blind.empty() ? 0 : 1;
  } else {
    std::cout << "FAIL " << name << "\n";
    ++failed_;
  }
  for (size_t at = 0; at < verdict.failures.size(); ++at) {
    if (at == most_reasons && options_.verbosity == 0) {
      std::cout << "       … and " << verdict.failures.size() - at << " more\n";
      break;
    }
    std::cout << "       " << verdict.failures[at] << "\n";
  }
  for (const std::string& unseen : verdict.blind) {
    std::cout << "       blind: " << unseen << "\n";
  }
}

void Tally::take_skip(const std::string& name, const std::string& why) {
  const bool allowed = std::ranges::any_of(options_.allowed_skips, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
  if (allowed) {
    std::cout << "SKIP " << name << ": " << why << "\n";
    ++skipped_;
  } else {
    take(name, {{"skipped, which nobody allowed: " + why}, {}}, "");
  }
}

void Tally::take_refusal(const Sight& sight) {
  std::cout << (options_.allow_missing ? "SKIP" : "FAIL") << " the tier: " << sight.trouble()
            << "\n";
  ++(options_.allow_missing ? skipped_ : failed_);
}

void Tally::take_comparison(const Sight& sight) {
  take("blind_spots", {sight.failures, {}},
       cat(sight.blind.size(), ", as in ", sight.list, ".tsv"));
}

void Tally::print_sums() const {
  std::cout << passed_ << " passed, " << failed_ << " failed, " << skipped_ << " skipped";
  if (blind_ > 0) {
    std::cout << ", of those passed " << blind_ << " with losses that are out of sight";
  }
  std::cout << std::endl;
}

} // namespace acceptwatch::scenarios
