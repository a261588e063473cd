// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "host/thread_call.h"

#include <vector>

namespace acceptwatch {

/// A thread as a look finds it.
struct SeenThread {
  ThreadId id;
  std::string task; ///< its directory: /proc/PID/task/TID
  Activity activity = Activity::unknown;
  std::optional<ThreadCall> call = {};
  Awaited awaits = Awaited::unknown; ///< the listener
  std::string function = {}; ///< of the kernel, in which it sleeps; empty: none, or not known
  bool accepted = false;     ///< it was seen to accept from it before
};

/// A process that holds the listener.
struct SeenProcess {
  uint32_t pid = 0;
  uint32_t parent = 0; ///< 0: not known
  std::string program; ///< its file; empty: not known
};

/// Those that watch over others which accept: they run the same program, are its children and hold
/// the listener as well, while no thread of the supervisor does any work.
[[nodiscard]] std::vector<uint32_t> supervisors_among(const std::vector<SeenProcess>& processes,
                                                      const std::vector<SeenThread>& threads);

/// The thread that tells most of why nothing is accepted. Null: there is none that is alive.
[[nodiscard]] const SeenThread* most_telling(const std::vector<SeenThread>& threads);

/// Whether any of them waits for connections of the listener: `no` where it is known of all that
/// could.
[[nodiscard]] Awaited awaited_by(const std::vector<SeenThread>& threads);

} // namespace acceptwatch
