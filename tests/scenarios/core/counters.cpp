// SPDX-License-Identifier: Apache-2.0
#include "core/counters.h"

#include <fstream>
#include <sstream>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

// Both files are pairs of lines: "TcpExt: Name Name…" and then "TcpExt: 1 2…". False where there
// is none with that prefix.
bool read_pair(const std::string& path, const std::string& prefix,
               std::map<std::string, int64_t>& values) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind(prefix, 0) != 0) {
      continue;
    }
    std::string numbers_line;
    std::getline(file, numbers_line);
    std::istringstream names(line.substr(prefix.size()));
    std::istringstream numbers(numbers_line.substr(prefix.size()));
    std::string name;
    int64_t number = 0;
    while (names >> name && numbers >> number) {
      values[name] = number;
    }
    return true;
  }
  return false;
}

void need_pair(const std::string& path, const std::string& prefix,
               std::map<std::string, int64_t>& values) {
  if (!read_pair(path, prefix, values)) {
    throw Failure(cat(path, " has no line ", prefix));
  }
}

} // namespace

Counters Counters::read() {
  Counters result;
  need_pair("/proc/net/netstat", "TcpExt: ", result.values_);
  need_pair("/proc/net/snmp", "Tcp: ", result.values_);
  need_pair("/proc/net/snmp", "Ip: ", result.values_);
  read_pair("/proc/net/netstat", "MPTcpExt: ", result.values_); // not every kernel has MPTCP
  return result;
}

int64_t Counters::at(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? 0 : found->second;
}

Counters Counters::since(const Counters& earlier) const {
  Counters result;
  for (const auto& [name, value] : values_) {
    result.values_[name] = value - earlier.at(name);
  }
  return result;
}

int64_t counter(const std::string& name) { return Counters::read().at(name); }

} // namespace acceptwatch::scenarios
