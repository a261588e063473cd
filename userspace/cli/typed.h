// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace acceptwatch {

/// Values of options as they were typed; interpret() turns them into Options.
struct Typed {
  std::vector<std::string> ports, pids, actions; ///< each may be a list, and given again
  std::string netns, duration, count, pressure, stall, sample, rate, look_budget, ready_fd;
  std::string probes = "auto", format = "text", colour = "auto";
  bool json = false, ipv4 = false, ipv6 = false;
};

} // namespace acceptwatch
