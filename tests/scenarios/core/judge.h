// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
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

// The records of a network namespace.
using RecordsOf = std::function<const std::vector<const Record*>&(uint64_t netns)>;

// The audit of the summary, of all namespaces that were played in: each counter agrees, but for
// what the tier is blind to and what the scenario says the kernel counts beside. As many as `lost`
// may be unexplained.
Verdict judge_audit(const std::vector<const WorldReport*>& worlds, const Audit& audit,
                    const RecordsOf& records_of, const std::vector<BlindSpot>& blind,
                    uint64_t lost);

// That whatever cannot be seen of this was told to be so.
Verdict judge_told(const WorldReport& world, const std::vector<BlindSpot>& blind,
                   const std::vector<BlindSpot>& told);

// The totals of the summary, which are exact whatever became of the records.
Verdict judge_totals(const WorldReport& world, const Summary& summary,
                     const std::vector<BlindSpot>& blind);

} // namespace acceptwatch::scenarios
