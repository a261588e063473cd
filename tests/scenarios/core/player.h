// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/report.h"
#include "core/stage.h"
#include "core/unique_fd.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

// The process that plays one scenario, as its parent sees it.
class Player {
public:
  enum class State { setting_up, waiting, playing, reported };

  // `siblings` are descriptors of other players, which the new process must not keep open.
  Player(const Scenario& scenario, size_t number, const std::vector<int>& siblings,
         std::chrono::milliseconds pause);
  Player(Player&&) = default;

  const std::string& name() const { return name_; }
  State state() const { return state_; }
  // The first namespace of the scenario, once it waits for its turn.
  std::string netns_path() const;
  int fd() const { return socket_.get(); }
  const Report& report() const { return report_; }

  // Takes what the process has sent. Call it when fd() is readable.
  void take_messages();
  void let_go();
  // What it expects so far, while it waits for those records, and since when it does.
  const std::optional<Report>& so_far() const { return so_far_; }
  Clock::time_point sync_since() const { return sync_since_; }
  void go_on();
  // Gives up a process that has been playing, or setting up, for too long.
  void check_time();
  // Lets the process end: until then its pid and its namespaces stay as they were.
  void release();

private:
  void fail(const std::string& why);

  std::string name_;
  pid_t pid_ = -1;
  UniqueFd socket_;
  State state_ = State::setting_up;
  Clock::time_point since_ = Clock::now();
  std::string buffer_;
  std::optional<Report> so_far_;
  Clock::time_point sync_since_;
  Report report_;
};

} // namespace acceptwatch::scenarios
