// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace acceptwatch::scenarios {

// One line of acceptwatch, as far as scenarios compare it. A field that the line does not have is
// empty.
struct Record {
  std::string line;
  std::string kind; // event.kind: "event", "alert" or "metric"
  std::string action;
  std::string reason;
  std::string stage;
  uint64_t count = 0;
  uint64_t netns = 0;
  // Every leaf of the record under its dotted path, numbers and strings alike as text.
  std::map<std::string, std::string> fields;
  std::set<std::string> numbers;                        // paths of JSON numbers
  std::set<std::string> kernel_functions;               // in which most of the owner's threads are
  std::map<std::string, std::vector<std::string>> keys; // of each object, in the order of the line

  std::optional<std::string> field(const std::string& path) const;
  std::optional<int64_t> number(const std::string& path) const;
  // Without what identifies nothing, for messages.
  std::string brief() const;
};

// A record `total`.
struct Total {
  std::string action;
  std::string reason;
  uint64_t netns = 0;
  uint64_t count = 0;
};

// A counter of the kernel's, beside what acceptwatch explains of it.
struct Audited {
  int64_t kernel = 0;
  int64_t explained = 0;
  bool has_cause = false; // of a difference

  int64_t difference() const { return kernel - explained; }
};

// The records `audit` at the end.
struct Audit {
  using Counters = std::map<std::string, Audited>;
  bool is_there = false;
  std::map<uint64_t, Counters> namespaces;
  uint64_t left_out = 0; // namespaces that have no record of their own
};

// What the summary says whatever became of the records.
struct Summary {
  std::vector<Total> totals;
  bool is_complete = true; // false: some totals have no record of their own
  std::string outcome;     // found, well or unknown
  Audit audit;
};

// From the last lines of a run: totals, audits and the summary.
Summary parse_summary(const std::vector<std::string>& lines);

// Throws Failure when the line is not one JSON object in UTF-8.
Record parse_record(const std::string& line);

} // namespace acceptwatch::scenarios
