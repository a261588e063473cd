// SPDX-License-Identifier: Apache-2.0
#include "core/evidence.h"

#include "core/error.h"

namespace acceptwatch::scenarios {

Evidence::Evidence(const Options& options) : well_formed_(options.tier) {
  if (!options.schema.empty()) {
    schema_.emplace(options.schema);
  }
}

void Evidence::take(const std::vector<std::string>& lines) {
  for (; taken_ < lines.size(); ++taken_) {
    take_line(lines[taken_]);
  }
}

void Evidence::take_line(const std::string& line) {
  try {
    records_.push_back(parse_record(line));
  } catch (const Failure& failure) {
    well_formed_.complain(failure.what(), line);
    return;
  }
  const Record& record = records_.back();
  well_formed_.take(record);
  if (schema_) {
    if (const std::string complaint = schema_->complaint(line); !complaint.empty()) {
      well_formed_.complain("schema: " + complaint, line);
    }
  }
  if (record.kind != "metric") {
    by_namespace_[record.netns].push_back(&record);
  }
}

const std::vector<const Record*>& Evidence::of_namespace(uint64_t netns) const {
  static const std::vector<const Record*> none;
  const auto found = by_namespace_.find(netns);
  return found == by_namespace_.end() ? none : found->second;
}

bool Evidence::is_complete(const WorldReport& world, const std::vector<BlindSpot>& blind) const {
  std::map<std::string, uint64_t> missing;
  for (const Expectation& expected : world.expected) {
    if (!is_blind(blind, expected)) {
      missing[expected.action + "/" + expected.reason] += expected.total();
    }
  }
  for (const Record* record : of_namespace(world.netns)) {
    uint64_t& left = missing[record->action + "/" + record->reason];
    left -= std::min(left, record->count);
  }
  for (const auto& [kind, left] : missing) {
    if (left > 0) {
      return false;
    }
  }
  return true;
}

namespace {

uint64_t lost_in(const Record& record) {
  return record.kind == "metric" && record.action == "lost"
             ? static_cast<uint64_t>(record.number("acceptwatch.lost.count").value_or(0))
             : 0;
}

bool is_of_program(const Record& record) {
  return record.field("acceptwatch.lost.where") == "program";
}

} // namespace

uint64_t Evidence::lost() const {
  uint64_t sum = 0;
  for (const Record& record : records_) {
    sum += lost_in(record);
  }
  return sum;
}

uint64_t Evidence::skipped_runs() const {
  uint64_t sum = 0;
  for (const Record& record : records_) {
    sum += is_of_program(record) ? lost_in(record) : 0;
  }
  return sum;
}

Summary Evidence::summary() const {
  if (records_.empty()) {
    throw Failure("acceptwatch wrote nothing");
  }
  std::vector<std::string> lines;
  for (const Record& record : records_) {
    if (record.kind == "metric") {
      lines.push_back(record.line);
    }
  }
  return parse_summary(lines);
}

std::optional<std::vector<BlindSpot>> Evidence::blind_of_start() const {
  return records_.empty() ? std::nullopt : scenarios::blind_of_start(records_.front().line);
}

Verdict Evidence::judge_stream(const Agent& agent, bool may_lose) const {
  Verdict verdict;
  verdict.failures = well_formed_.complaints();
  if (agent.exit_status() != 0) {
    verdict.failures.push_back(cat("exit status ", agent.exit_status(), ": ", agent.complaints()));
  }
  if (agent.was_cut_off()) {
    verdict.failures.emplace_back("the last line has no end");
  }
  if (records_.empty() || records_.front().action != "start" || records_.front().kind != "metric") {
    verdict.failures.emplace_back("the first record is not `start`");
  } else if (records_.front().field("acceptwatch.schema") != "1") {
    verdict.failures.push_back("`start` does not name schema version \"1\": " +
                               records_.front().line);
  }
  if (records_.empty() || records_.back().action != "summary" || records_.back().kind != "metric") {
    verdict.failures.emplace_back("the last record is not `summary`");
  }
  for (const Record& record : records_) {
    // A program that the kernel skipped (it was running on that CPU already) may have been about
    // anybody's packet: whether it was one of ours shows by the records, none of which may miss.
    if (record.kind == "metric" && record.action == "lost" && !may_lose && !is_of_program(record)) {
      verdict.failures.push_back("records were lost: " + record.line);
    }
  }
  return verdict;
}

} // namespace acceptwatch::scenarios
