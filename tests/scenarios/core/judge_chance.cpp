// SPDX-License-Identifier: Apache-2.0
#include "core/judge.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

// What these count has no record of its own, or not only one.
bool is_more_than_records_tell(const std::string& counter) {
  static const std::set<std::string> names = {"OutRsts", "TCPSynRetrans", "TCPReqQFullDoCookies",
                                              "SyncookiesRecv"};
  return names.contains(counter);
}

bool is_of_kind(const Expectation& possible, const Record& record) {
  return possible.action == record.action &&
         (possible.reason == record.reason || record.action == "listener_closed") &&
         (possible.stage.empty() || possible.stage == record.stage);
}

// What is wrong with a record of something that may happen as often as it likes.
std::string complaint_about(const Record& record, const WorldReport& world,
                            const std::vector<BlindSpot>& blind) {
  const auto possible = std::ranges::find_if(
      world.expected, [&](const Expectation& expected) { return is_of_kind(expected, record); });
  if (possible == world.expected.end()) {
    return cat("cannot happen here: ", record.action, "/", record.reason, " at stage ",
               record.stage);
  }
  std::string wrong;
  for (const std::string& complaint : wrong_fields(*possible, record, blind)) {
    wrong += (wrong.empty() ? "wrong: " : "; ") + complaint;
  }
  return wrong;
}

Expectation counted(const Record& record) {
  Expectation seen;
  seen.action = record.action;
  seen.reason = record.reason;
  seen.stage = record.stage;
  seen.count = record.count;
  return seen;
}

} // namespace

std::set<std::string> counters_out_of_sight(const WorldReport& world,
                                            const std::vector<BlindSpot>& blind) {
  std::vector<Expectation> unseen;
  for (Expectation expected : world.expected) {
    if (world.by_chance && is_blind(blind, expected)) {
      expected.count = 1;
      unseen.push_back(expected);
    }
  }
  std::set<std::string> names;
  for (const auto& [name, times] : explained_counters(unseen)) {
    if (times > 0) {
      names.insert(name);
    }
  }
  return names;
}

Verdict judge_chance(const WorldReport& world, const std::vector<const Record*>& records,
                     const std::vector<BlindSpot>& blind, uint64_t lost) {
  Verdict verdict;
  std::set<std::string> said;
  std::vector<Expectation> seen;
  for (const Record* record : records) {
    if (is_early_warning(*record)) {
      continue;
    }
    seen.push_back(counted(*record));
    const std::string complaint = complaint_about(*record, world, blind);
    if (!complaint.empty() && said.insert(complaint).second) {
      verdict.failures.push_back(cat(complaint, "\n         in: ", record->line));
    }
  }
  const auto unseen = counters_out_of_sight(world, blind);
  auto told = explained_counters(seen);
  for (const auto& [name, measured] : world.measured) {
    const int64_t missing = measured - told[name];
    const bool may_miss = is_more_than_records_tell(name) || unseen.contains(name);
    if (missing < 0 || (!may_miss && missing > static_cast<int64_t>(lost))) {
      verdict.failures.push_back(
          cat("the kernel's ", name, " moved by ", measured, ", records tell of ", told[name]));
    }
  }
  return verdict;
}

} // namespace acceptwatch::scenarios
