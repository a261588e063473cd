// SPDX-License-Identifier: Apache-2.0
#include "host/told_thread.h"

#include <algorithm>
#include <tuple>

namespace acceptwatch {
namespace {

/// What idle ones do, that have nothing to accept or to work on.
bool is_idle(const SeenThread& thread) {
  return thread.activity == Activity::accept ||
         (thread.activity == Activity::poll && thread.awaits == Awaited::yes);
}

bool is_known_to_accept(const SeenThread& thread) {
  return thread.accepted || thread.awaits == Awaited::yes;
}

/// How much it says of why nothing is accepted: the least number first. A timer or a pipe is what a
/// thread in the background waits for, too; a futex is what the idle ones of a pool do.
int rank_of_thread(const SeenThread& thread) {
  switch (thread.activity) {
  case Activity::stopped:
  case Activity::disk:
    return 0;
  case Activity::child:
  case Activity::lock:
  case Activity::socket_read:
  case Activity::socket_write:
  case Activity::connect:
  case Activity::running:
    return 1;
  case Activity::io:
  case Activity::sleep:
    return thread.id.pid == thread.id.tid ? 1 : 2;
  case Activity::futex:
    return 3;
  case Activity::poll:
    return is_idle(thread) ? 5 : 4;
  case Activity::accept:
    return 5;
  case Activity::signal:
  case Activity::other:
  case Activity::unknown:
    return 6;
  case Activity::zombie:
    break;
  }
  return 7;
}

bool does_no_work(const SeenThread& thread) {
  switch (thread.activity) {
  case Activity::poll:
    return thread.awaits != Awaited::yes;
  case Activity::child:
  case Activity::signal:
  case Activity::sleep:
  case Activity::other:
  case Activity::unknown:
    return true;
  default:
    return false;
  }
}

} // namespace

std::vector<uint32_t> supervisors_among(const std::vector<SeenProcess>& processes,
                                        const std::vector<SeenThread>& threads) {
  std::vector<uint32_t> supervisors;
  for (const SeenProcess& process : processes) {
    const bool has_workers = std::ranges::any_of(processes, [&](const SeenProcess& other) {
      return other.parent == process.pid && !process.program.empty() &&
             other.program == process.program;
    });
    const bool only_watches = std::ranges::all_of(threads, [&](const SeenThread& thread) {
      return thread.id.pid != process.pid || (does_no_work(thread) && !thread.accepted);
    });
    if (has_workers && only_watches)
      supervisors.push_back(process.pid);
  }
  return supervisors;
}

const SeenThread* most_telling(const std::vector<SeenThread>& threads) {
  const bool accepter_is_kept = std::ranges::any_of(threads, [](const SeenThread& thread) {
    return is_known_to_accept(thread) && !is_idle(thread) && thread.activity != Activity::zombie;
  });
  const SeenThread* found = nullptr;
  const auto key = [](const SeenThread& thread) {
    return std::tuple{rank_of_thread(thread), !is_known_to_accept(thread),
                      thread.id.pid != thread.id.tid, thread.id.pid, thread.id.tid};
  };
  for (const SeenThread& thread : threads) {
    if (thread.activity == Activity::zombie || (accepter_is_kept && !is_known_to_accept(thread)))
      continue;
    if (!found || key(thread) < key(*found))
      found = &thread;
  }
  return found;
}

/// select() and poll() do not show what they wait for, but return at once where it is a listener
/// with connections: who sleeps there does not wait for this one.
Awaited awaited_by(const std::vector<SeenThread>& threads) {
  bool loops = false;
  for (const SeenThread& thread : threads) {
    if (thread.awaits == Awaited::yes || thread.activity == Activity::accept)
      return Awaited::yes;
    loops = loops || thread.activity == Activity::poll;
    if (rank_of_thread(thread) < 2 || thread.activity == Activity::unknown)
      return Awaited::unknown;
  }
  return loops ? Awaited::no : Awaited::unknown;
}

} // namespace acceptwatch
