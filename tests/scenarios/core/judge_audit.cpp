// SPDX-License-Identifier: Apache-2.0
#include "core/judge.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

using Numbers = std::map<std::string, int64_t>;

// The kernel counts there what this host does as a client, too.
bool may_be_larger(const std::string& counter) {
  return counter == "TCPSynRetrans" || counter == "OutRsts";
}

using Kind = std::tuple<std::string, std::string, std::string>; // action, reason, stage

std::map<Kind, uint64_t> kinds_of(const std::vector<const Record*>& records) {
  std::map<Kind, uint64_t> kinds;
  for (const Record* record : records) {
    kinds[{record->action, record->reason, record->field("acceptwatch.stage").value_or("")}] +=
        record->count;
  }
  return kinds;
}

// How far kernel and explained must be apart. What has a record was seen, although `check` says
// that not all of its kind are.
Numbers expected_differences(const WorldReport& world, const std::vector<const Record*>& records,
                             const std::vector<BlindSpot>& blind) {
  std::map<Kind, uint64_t> seen = kinds_of(records);
  std::vector<Expectation> unseen;
  for (Expectation expected : world.expected) {
    if (!is_blind(blind, expected)) {
      continue;
    }
    uint64_t& left = seen[{expected.action, expected.reason, expected.stage}];
    const uint64_t total = expected.total();
    const uint64_t told = std::min(total, left);
    left -= told;
    expected.clients.clear();
    expected.count = total - told;
    unseen.push_back(expected);
  }
  Numbers differences = explained_counters(unseen);
  for (const auto& [name, times] : world.beside) {
    differences[name] += times;
  }
  return differences;
}

void judge_counter(const std::string& where, const std::string& name, const Audited& seen,
                   const Range& expected, Verdict& verdict) {
  const bool fits =
      may_be_larger(name) ? seen.difference() >= 0 : expected.holds(seen.difference());
  if (!fits) {
    verdict.failures.push_back(cat("the audit of ", where, ": ", name, " is ", seen.kernel,
                                   " in the kernel, ", seen.explained, " explained, where ",
                                   expected.text(), " may differ"));
  } else if (seen.difference() > 0 && !seen.has_cause) {
    verdict.failures.push_back(
        cat("the audit of ", where, ": ", name, " does not say why it differs"));
  }
}

Audited of_counter(const Audit::Counters& counters, const std::string& name) {
  const auto found = counters.find(name);
  return found == counters.end() ? Audited{} : found->second;
}

int64_t number_of(const Numbers& numbers, const std::string& name) {
  const auto found = numbers.find(name);
  return found == numbers.end() ? 0 : found->second;
}

Range range_of(const Numbers& differences, const std::string& name, uint64_t lost) {
  const int64_t known = number_of(differences, name);
  return {known, known + static_cast<int64_t>(lost)};
}

void judge_world(const WorldReport& world, const Audit::Counters& counters,
                 const Numbers& differences, const std::set<std::string>& unseen, uint64_t lost,
                 Verdict& verdict) {
  for (const std::string& name : audited_counters) {
    if (unseen.contains(name)) {
      continue;
    }
    const Audited seen = of_counter(counters, name);
    Range expected = range_of(differences, name, lost);
    if (world.by_chance && name == "SyncookiesRecv") {
      expected.high = seen.kernel; // cookies of connections that were accepted have no record
    }
    judge_counter(cat("namespace ", world.netns), name, seen, expected, verdict);
    // What moved after the scenario's end is no longer in `measured`.
    if (seen.kernel < number_of(world.measured, name)) {
      verdict.failures.push_back(cat("the audit of namespace ", world.netns, ": ", name, " is ",
                                     seen.kernel, ", the scenario measured ",
                                     number_of(world.measured, name)));
    }
  }
}

} // namespace

Verdict judge_audit(const std::vector<const WorldReport*>& worlds, const Audit& audit,
                    const RecordsOf& records_of, const std::vector<BlindSpot>& blind,
                    uint64_t lost) {
  Verdict verdict;
  if (!audit.is_there) {
    verdict.failures.emplace_back("there is no audit at the end");
    return verdict;
  }
  for (const WorldReport* world : worlds) {
    const Numbers differences = expected_differences(*world, records_of(world->netns), blind);
    const auto unseen = counters_out_of_sight(*world, blind);
    const auto listed = audit.namespaces.find(world->netns);
    if (listed != audit.namespaces.end()) {
      judge_world(*world, listed->second, differences, unseen, lost, verdict);
    } else if (audit.left_out == 0) {
      judge_world(*world, {}, differences, unseen, lost, verdict);
    }
  }
  return verdict;
}

} // namespace acceptwatch::scenarios
