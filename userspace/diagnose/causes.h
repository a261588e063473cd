// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/evidence.h"
#include "events/blind_spot.h"
#include "events/event.h"

#include <map>
#include <span>
#include <tuple>
#include <vector>

namespace acceptwatch {

/// Events by action, reason and stage: how many were seen.
using SeenEvents = std::map<std::tuple<aw_action, aw_reason, aw_stage>, uint64_t>;

/// By how much each counter of the audit has moved beyond what was explained. Absent: it was not
/// compared.
using UnexplainedCounters = std::array<std::optional<uint64_t>, nr_kernel_counters>;

/// All that a judgement about causes rests on. Absent: not known.
struct CauseFacts {
  SeenEvents seen;                        ///< since the start
  std::vector<std::string_view> findings; ///< names of those that were ever true
  std::span<const BlindSpot> blind;       ///< of the plan
  uint64_t lost_records = 0;              ///< events that were counted, and by whom is not known
  /// Handshakes that came through to the accept queue of what was asked for.
  std::optional<uint64_t> arrived;
  UnexplainedCounters unexplained{};
  EvidenceValues evidence{}; ///< growth
  bool listening = false;
  bool after_accept = false; ///< what owners close at once is watched
  std::optional<Queue> accept_queue;
  std::optional<Queue> syn_queue;
  uint32_t accept_peak = 0;
  uint32_t syn_peak = 0;
};

/// Every cause that is known of, each with one of three values: a pure function. Findings, "ruled
/// out" and "could not be seen" come from the one table that is behind it, so that no output
/// contradicts itself.
[[nodiscard]] std::vector<CauseJudgement> judge_causes(const CauseFacts& facts);

/// The kernel's counters that have grown beyond what was seen of their cause, with their meaning.
[[nodiscard]] std::vector<EvidenceSeen> evidence_seen(const EvidenceValues& growth,
                                                      const SeenEvents& seen);

/// Whether each packet that a listener lost would have been seen: then what was counted is all.
[[nodiscard]] bool all_losses_are_seen(const CauseFacts& facts);

/// What all of them add up to.
[[nodiscard]] Outcome outcome_of(const CauseFacts& facts,
                                 std::span<const CauseJudgement> judgements);

/// The cause in the table that a finding is of; empty: there is no such finding.
[[nodiscard]] std::string_view cause_of_finding(std::string_view finding);

} // namespace acceptwatch
