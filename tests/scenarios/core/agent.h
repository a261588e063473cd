// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/blind.h"
#include "core/record.h"
#include "core/unique_fd.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

struct AgentOptions {
  std::string path;
  std::string tier = "auto";
  std::string netns;                  // path of a network namespace to start it in
  std::vector<std::string> arguments; // beside the tier, the format and the ready descriptor
  std::set<std::string> without;      // what it has to do without: do_without()
  std::string look_budget;            // of --look-budget; empty: its own
};

// A running acceptwatch.
class Agent {
public:
  explicit Agent(const AgentOptions& options);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  // Throws Failure, with what acceptwatch said, when it ends or says nothing before it is live.
  void await_ready();
  int fd() const { return stdout_.get(); }
  // Takes the lines that have come; false at the end of the stream.
  bool take_lines();
  void await_line_count(size_t count);
  // Reads to the end, which it comes to by itself.
  void await_end(std::chrono::milliseconds limit);
  // SIGTERM, then reads to the end. The exit status is that of the process, or 128 + signal.
  void stop();

  const std::vector<std::string>& lines() const { return lines_; }
  int exit_status() const { return exit_status_; }
  bool was_cut_off() const { return !buffer_.empty(); }
  // What it told people.
  std::string complaints() const;
  // User and system time it has used, once it has ended.
  double cpu_seconds() const { return cpu_seconds_; }

private:
  pid_t pid_ = -1;
  UniqueFd stdout_;
  UniqueFd ready_;
  UniqueFd stderr_; // a memory file
  std::string buffer_;
  std::vector<std::string> lines_;
  int exit_status_ = -1;
  double cpu_seconds_ = 0;
};

// `acceptwatch check --probes TIER -j`.
Check run_check(const AgentOptions& options);

} // namespace acceptwatch::scenarios
