// SPDX-License-Identifier: Apache-2.0
#include "core/blind_lists.h"

#include <set>
#include <sstream>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

std::string cell(std::istream& row) {
  std::string text;
  std::getline(row, text, '\t');
  if (text.empty()) {
    throw Failure("a list of blind spots has a row with less than four cells");
  }
  return text == "-" ? "" : text;
}

std::string written(const std::string& text) { return text.empty() ? "-" : text; }

} // namespace

std::vector<BlindSpot> parse_blind_list(const std::string& text) {
  std::vector<BlindSpot> spots;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    std::istringstream row(line);
    BlindSpot spot;
    for (std::string* part : {&spot.action, &spot.reason, &spot.stage, &spot.field}) {
      *part = cell(row);
    }
    spots.push_back(spot);
  }
  return spots;
}

std::string to_blind_list(const std::vector<BlindSpot>& spots) {
  std::set<std::string> rows;
  for (const BlindSpot& spot : spots) {
    rows.insert(cat(spot.action, "\t", written(spot.reason), "\t", written(spot.stage), "\t",
                    written(spot.field), "\n"));
  }
  std::string text = "# SPDX-License-Identifier: Apache-2.0\n# action\treason\tstage\tfield\n";
  for (const std::string& row : rows) {
    text += row;
  }
  return text;
}

} // namespace acceptwatch::scenarios
