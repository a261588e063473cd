// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/blind.h"
#include "core/record.h"
#include "core/report.h"

namespace acceptwatch::scenarios {

// What speaks against a scenario, and what could not be judged.
struct Verdict {
  std::vector<std::string> failures;
  std::vector<std::string> blind;

  void add(const Verdict& other);
};

// The kernel's counters against the expected records: that the scenario provoked what it claims.
Verdict judge_counters(const WorldReport& world);

// The records of one namespace against the expected ones: none missing, none extra, every field
// right. As many as `lost` may be missing, and are taken off.
Verdict judge_records(const WorldReport& world, const std::vector<const Record*>& records,
                      const std::vector<BlindSpot>& blind, uint64_t& lost);

// The same where nobody knows how often what is expected happens: each record is one of those,
// right in every field, and all together tell of as much as the kernel's counters say.
Verdict judge_chance(const WorldReport& world, const std::vector<const Record*>& records,
                     const std::vector<BlindSpot>& blind, uint64_t lost);
// Counters that something moves there which is out of sight, nobody knows how often.
std::set<std::string> counters_out_of_sight(const WorldReport& world,
                                            const std::vector<BlindSpot>& blind);

// Early warnings depend on time, and are no losses: only a quiet scenario judges them.
bool is_early_warning(const Record& record);

// What the record says otherwise than the expectation, but for what is blind.
std::vector<std::string> wrong_fields(const Expectation& expected, const Record& record,
                                      const std::vector<BlindSpot>& blind);

// The records of a network namespace.
using RecordsOf = std::function<const std::vector<const Record*>&(uint64_t netns)>;

// The audit of the summary, of all namespaces that were played in: each counter agrees, but for
// what the tier is blind to and what the scenario says the kernel counts beside. As many as `lost`
// may be unexplained.
Verdict judge_audit(const std::vector<const WorldReport*>& worlds, const Audit& audit,
                    const RecordsOf& records_of, const std::vector<BlindSpot>& blind,
                    uint64_t lost);

// That whatever cannot be seen of this was told to be so, and that a run in which something was
// lost does not end with the outcome "well".
Verdict judge_told(const WorldReport& world, const std::vector<BlindSpot>& blind,
                   const std::vector<BlindSpot>& told, const std::string& outcome);

// The totals of the summary, which are exact whatever became of the records.
Verdict judge_totals(const WorldReport& world, const Summary& summary,
                     const std::vector<BlindSpot>& blind);

} // namespace acceptwatch::scenarios
