// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace acceptwatch::scenarios {

// The kernel's own counters of the current namespace: the `TcpExt` line of /proc/net/netstat and
// the `Tcp` line of /proc/net/snmp, under their bare names. One that a kernel does not have reads
// 0.
class Counters {
public:
  static Counters read();

  int64_t at(const std::string& name) const;
  const std::map<std::string, int64_t>& all() const { return values_; }
  Counters since(const Counters& earlier) const;

private:
  std::map<std::string, int64_t> values_;
};

// The current value of one counter.
int64_t counter(const std::string& name);

} // namespace acceptwatch::scenarios
