// SPDX-License-Identifier: Apache-2.0
#include "core/tapes.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace acceptwatch::scenarios {

namespace {

// A tape has what comes in. That an output had no room is not of it, and is lost when it is played.
bool lost_lines(const Agent& agent) {
  return std::ranges::any_of(agent.lines(), [](const std::string& line) {
    return line.find(R"("where":"output")") != std::string::npos;
  });
}

} // namespace

void append_lines(const Agent& agent, const std::string& path) {
  std::ofstream file(path, std::ios::app);
  for (const std::string& line : agent.lines()) {
    file << line << "\n";
  }
}

void keep_tape(const Agent& agent, const std::string& path, bool is_good) {
  std::filesystem::remove(path + ".ndjson");
  if (is_good && !lost_lines(agent)) {
    append_lines(agent, path + ".ndjson");
  } else {
    std::filesystem::remove(path + ".tape");
  }
}

} // namespace acceptwatch::scenarios
