// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/agent.h"
#include "core/judge.h"
#include "core/options.h"
#include "core/schema.h"
#include "core/wellformed.h"

namespace acceptwatch::scenarios {

// Everything acceptwatch wrote in one run, by network namespace, and what is wrong with it as a
// whole.
class Evidence {
public:
  explicit Evidence(const Options& options);

  // Takes the lines that are new since the last call.
  void take(const std::vector<std::string>& lines);

  const std::vector<const Record*>& of_namespace(uint64_t netns) const;
  // Whether the records of this namespace add up to what is expected of it. Cheap; the verdict is
  // judge_records().
  bool is_complete(const WorldReport& world, const std::vector<BlindSpot>& blind) const;
  // Occurrences that acceptwatch says no record stands for.
  uint64_t lost() const;
  // Of these, the runs of programs that the kernel skipped, as it counts them.
  uint64_t skipped_runs() const;
  // Of the last line; throws Failure when that is none.
  Summary summary() const;
  // What the start record says is out of sight; nothing where it does not speak of that.
  std::optional<std::vector<BlindSpot>> blind_of_start() const;
  // The rules about the stream: start first, summary last, nothing lost, every line well-formed.
  Verdict judge_stream(const Agent& agent, bool may_lose) const;
  size_t record_count() const { return records_.size(); }

private:
  void take_line(const std::string& line);

  std::deque<Record> records_;
  std::map<uint64_t, std::vector<const Record*>> by_namespace_;
  WellFormed well_formed_;
  std::optional<Schema> schema_;
  size_t taken_ = 0;
};

} // namespace acceptwatch::scenarios
