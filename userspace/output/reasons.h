// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/names.h"
#include "output/formatter.h"

#include <fmt/format.h>
#include <iterator>
#include <map>

namespace acceptwatch {

/// At the end a line for each action and reason: how many occurrences its records told of.
class ReasonFormatter final : public Formatter {
public:
  using Formatter::format;
  void format(const Event& event, std::string& /*out*/) override {
    const auto reason = event.verdict ? event.verdict->finding.name : name_of(event.reason);
    counts_[fmt::format("{} {}", name_of(event.action), reason)] += event.count;
  }
  void format(const Lost& lost, std::string& /*out*/) override { lost_ += lost.count; }
  void format(const Snapshot& /*summary*/, std::string& out) override {
    for (const auto& [what, count] : counts_)
      fmt::format_to(std::back_inserter(out), "{} {}\n", count, what);
    if (lost_)
      fmt::format_to(std::back_inserter(out), "{} had no record that says why\n", lost_);
  }

private:
  std::map<std::string, uint64_t> counts_;
  uint64_t lost_ = 0;
};

} // namespace acceptwatch
