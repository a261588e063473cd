// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "output/json_writer.h"

#include <string>

namespace acceptwatch {

// What was seen, what was not and would have been, and what could not be seen.

/// "17 packets were dropped, 3 SYN-ACKs were sent again". Empty: nothing failed.
[[nodiscard]] std::string what_failed(const Snapshot& summary);

/// "Ruled out" and "Could not be seen", with a sentence for each cause. Empty: neither.
[[nodiscard]] std::string causes_text(const std::vector<CauseJudgement>& causes);
/// Of the second alone.
[[nodiscard]] std::string unseen_text(const std::vector<CauseJudgement>& causes);
/// Counters that have grown and no record accounts for, with their meaning. Empty: none has.
[[nodiscard]] std::string evidence_text(const std::vector<EvidenceSeen>& evidence);

/// Whether each loss at a listener would have been seen, or counted. What never gets as far as TCP
/// is another matter.
[[nodiscard]] bool sees_all_of_tcp(const std::vector<CauseJudgement>& causes);

[[nodiscard]] std::string_view name_of(Outcome outcome);

/// The members "ruled_out", "not_seen" and "kernel_counted".
void write_causes(JsonWriter& json, const Snapshot& snapshot);

} // namespace acceptwatch
