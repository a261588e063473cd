// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/record.h"

namespace acceptwatch::scenarios {

// The rules that hold for every line, whatever caused it. Lines are taken in the order in which
// they were written.
class WellFormed {
public:
  explicit WellFormed(std::string tier);

  void take(const Record& record);
  // Each kind of complaint once, with the first line it is about.
  const std::vector<std::string>& complaints() const { return complaints_; }
  void complain(const std::string& what, const std::string& line);

private:
  void check_timestamp(const Record& record);
  void check_sequence(const Record& record);
  void check_names(const Record& record);
  void check_values(const Record& record);
  void check_source(const Record& record);
  void check_key_order(const Record& record);

  std::string tier_;
  int64_t begin_ns_;
  int64_t latest_ns_ = 0;
  int64_t next_sequence_ = 0;
  // key → keys seen behind it in the same object
  std::map<std::string, std::set<std::string>> behind_;
  std::set<std::string> said_;
  std::vector<std::string> complaints_;
};

} // namespace acceptwatch::scenarios
