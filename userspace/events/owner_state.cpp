// SPDX-License-Identifier: Apache-2.0
#include "events/owner_state.h"

#include "events/endpoint.h"

#include <algorithm>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

struct Words {
  std::string_view name;
  std::string_view one; ///< "1 of 3 threads …"
  std::string_view many;
  std::string_view short_form; ///< "1 of 20 threads runs (CPU), 19 …"
};

constexpr std::array<Words, activity_count> words{{
    {"running", "runs (CPU)", "run (CPU)", "running"},
    {"disk", "is in disk sleep (D)", "are in disk sleep (D)", "in disk sleep"},
    {"stopped", "is stopped", "are stopped", "stopped"},
    {"child", "waits in wait() for a child", "wait in wait() for a child", "waiting for a child"},
    {"lock", "waits for a file lock", "wait for a file lock", "waiting for a lock"},
    {"socket_read", "waits in read()", "wait in read()", "in read()"},
    {"socket_write", "waits in write()", "wait in write()", "in write()"},
    {"connect", "waits in connect()", "wait in connect()", "in connect()"},
    {"futex", "waits in futex()", "wait in futex()", "in futex()"},
    {"io", "waits for a pipe or file", "wait for a pipe or file", "waiting for a file"},
    {"sleep", "sleeps (timer)", "sleep (timer)", "sleeping"},
    {"poll", "waits in poll()", "wait in poll()", "in poll()"},
    {"accept", "waits in accept()", "wait in accept()", "in accept()"},
    {"signal", "waits for a signal", "wait for a signal", "waiting for a signal"},
    {"other", "sleeps elsewhere", "sleep elsewhere", "elsewhere"},
    {"unknown", "sleeps", "sleep", "sleeping"},
    {"zombie", "has exited", "have exited", "exited"},
}};

const Words& words_of(Activity activity) { return words[static_cast<size_t>(activity)]; }

/// What most threads do; those that have exited do nothing.
Activity most_frequent(const ThreadStates& threads) {
  const auto last = threads.doing.begin() + static_cast<size_t>(Activity::zombie);
  return static_cast<Activity>(std::max_element(threads.doing.begin(), last) -
                               threads.doing.begin());
}

/// What is said of the threads: what the thread does that tells most. Where none was picked, one
/// that is kept from accepting tells more than idle ones of a pool; those that are stopped are told
/// apart.
Activity most_telling(const ThreadStates& threads) {
  if (threads.told)
    return threads.told->activity;
  Activity most = most_frequent(threads);
  size_t count = 0;
  for (size_t at = 0; at < activity_count; ++at) {
    const auto activity = static_cast<Activity>(at);
    if (is_telling(activity) && activity != Activity::stopped && threads.doing[at] > count) {
      most = activity;
      count = threads.doing[at];
    }
  }
  return most;
}

bool is_alive(const ThreadStates& threads) {
  return threads.seen > threads.count(Activity::zombie);
}

std::string share_of(size_t part, const ThreadStates& threads) {
  if (threads.seen == 1)
    return threads.total == 1 ? "its only thread" : "the only thread seen";
  if (part == threads.seen && part > 1 && threads.seen == threads.total)
    return part == 2 ? "both threads" : fmt::format("all {} threads", part);
  if (part == threads.seen)
    return fmt::format("all {} threads seen", part);
  return fmt::format("{} of {} threads{}", part, threads.seen,
                     threads.seen < threads.total ? " seen" : "");
}

/// " (4711, the main thread)", so that a person can look at it. Empty: there is no other.
std::string id_of(const ThreadStates& threads) {
  const auto& told = *threads.told;
  if (threads.total == 1 && !threads.supervisors)
    return {};
  if (threads.total == threads.processes)
    return fmt::format(" ({})", told.pid);
  return told.is_main() ? fmt::format(" ({}, the main thread)", told.pid)
                        : fmt::format(" ({}/{})", told.pid, told.tid);
}

/// Whom the thread waits for, where that is known.
std::string counterpart_of(const ToldThread& told) {
  if (told.lock_holder)
    return fmt::format(" that process {} has", *told.lock_holder);
  if (!told.peer)
    return {};
  const auto& [address, port, is_client] = *told.peer;
  return fmt::format(" {} {}{}", told.activity == Activity::socket_write ? "to" : "from",
                     is_client ? "client " : "", endpoint_text(address, port));
}

std::string doing_text(const ThreadStates& threads, Activity activity) {
  const size_t part = threads.count(activity);
  const bool one = part == 1 && threads.told && threads.told->activity == activity;
  return fmt::format("{}{} {}{}", share_of(part, threads), one ? id_of(threads) : "",
                     part == 1 ? words_of(activity).one : words_of(activity).many,
                     one ? counterpart_of(*threads.told) : "");
}

/// An event loop is in accept() for no time at all: that it is not there says nothing. Nor
/// is it said as long as there are threads of which it is not known.
std::string threads_text(const ThreadStates& threads, size_t room) {
  constexpr std::string_view none_accepts = ", none in accept()";
  const bool blocking =
      threads.seen > 1 && !threads.count(Activity::poll) && !threads.count(Activity::unknown);
  const Activity told = most_telling(threads);
  std::string text = doing_text(threads, told);
  const auto add = [&](std::string_view more) {
    if (text.size() + more.size() <= room)
      text += more;
  };
  if (const auto most = most_frequent(threads);
      most != told && threads.count(told) <= threads.seen / 2)
    add(fmt::format(", {} {}", threads.count(most), words_of(most).short_form));
  if (blocking && !threads.count(Activity::accept))
    add(none_accepts);
  return text;
}

/// All that a process can do has ended: nothing else has to be said. Empty: not so.
std::string standstill_text(const OwnerState& state) {
  const ThreadStates& threads = state.threads;
  const char* whose = threads.processes == 1 ? "process is"
                      : threads.supervisors  ? "all workers are"
                                             : "processes are";
  const auto all = [&](Activity activity) {
    return threads.seen && threads.seen == threads.total && threads.count(activity) == threads.seen;
  };
  if (all(Activity::zombie))
    return threads.processes == 1 ? "process has exited" : "processes have exited";
  if (state.frozen.value_or(false))
    return fmt::format("{} frozen (cgroup)", whose);
  if (all(Activity::stopped))
    return fmt::format("{} stopped", whose);
  return {};
}

std::string line_of(std::string line, const std::vector<std::string>& frames) {
  std::string_view separator;
  for (std::string_view frame : frames) {
    if (constexpr std::string_view machine = "__x64_"; frame.starts_with(machine))
      frame.remove_prefix(machine.size());
    if (!separator.empty() && line.size() + separator.size() + frame.size() > state_width)
      break;
    line += separator;
    line += frame;
    separator = " <- ";
  }
  return line;
}

/// Below that it explains nothing.
constexpr double least_percent = 10;

std::string throttled_text(const OwnerState& state) {
  const auto percent = throttled_percent(state);
  return percent ? fmt::format("throttled: {:.0f} % of periods", *percent) : "";
}

std::string pressure_text(const char* what, std::optional<double> percent) {
  if (!percent || *percent < least_percent)
    return "";
  return fmt::format("{} pressure {:.0f} %", what, *percent);
}

/// A thread that sleeps waits for something else, however hard it is for others to get a CPU or
/// memory.
bool may_wait_for_memory(const ThreadStates& threads) {
  const Activity told = most_telling(threads);
  return told == Activity::running || told == Activity::disk;
}

} // namespace

std::string_view name_of(Activity activity) { return words_of(activity).name; }

bool is_telling(Activity activity) { return activity <= Activity::connect; }

bool is_paused(const OwnerState& state) {
  return state.threads.listener == Awaited::no && !state.frozen.value_or(false) &&
         !throttled_percent(state);
}

std::optional<double> throttled_percent(const OwnerState& state) {
  const auto& quota = state.cpu_quota;
  if (!quota)
    return std::nullopt;
  const bool recent = quota->recent_periods && quota->recent_throttled;
  if (!recent && state.pressure.cpu.value_or(0) < least_percent)
    return std::nullopt;
  const auto periods = recent ? *quota->recent_periods : quota->periods;
  const auto throttled = recent ? *quota->recent_throttled : quota->throttled;
  const double percent =
      periods ? 100.0 * static_cast<double>(throttled) / static_cast<double>(periods) : 0;
  return percent < least_percent ? std::nullopt : std::optional{percent};
}

std::string sentence_of(const OwnerState& state, size_t width) {
  if (auto standstill = standstill_text(state); !standstill.empty())
    return standstill;
  constexpr std::string_view separator = "; ";
  std::string sentence;
  size_t facts = 0;
  const auto room = [&] {
    const size_t taken = sentence.empty() ? 0 : sentence.size() + separator.size();
    return taken < width ? width - taken : 0;
  };
  const auto add = [&](const std::string& fact) {
    if (fact.empty() || facts == 2 || (facts == 1 && fact.size() > room()))
      return;
    sentence += facts++ ? fmt::format("{}{}", separator, fact) : fact;
  };
  const auto& files = state.descriptors;
  if (files && files->open >= files->limit)
    add(fmt::format("{}/{} descriptors", files->open, files->limit));
  const Activity told = most_telling(state.threads);
  if (state.threads.count(Activity::stopped))
    add(doing_text(state.threads, Activity::stopped));
  const auto throttled = throttled_text(state);
  add(throttled);
  if (is_alive(state.threads) && told != Activity::stopped &&
      most_frequent(state.threads) != Activity::stopped)
    add(threads_text(state.threads, room()));
  if (may_wait_for_memory(state.threads))
    add(pressure_text("memory", state.pressure.memory));
  if (throttled.empty() && told == Activity::running) // whose pressure it would be
    add(pressure_text("CPU", state.pressure.cpu));
  return sentence;
}

std::string stack_of(const ThreadStates& threads) {
  // Of one among many it is that one's; what many do alike is what most of these have.
  if (threads.told && threads.count(threads.told->activity) == 1 && !threads.told->frames.empty())
    return line_of("in ", threads.told->frames);
  if (threads.stacks.empty())
    return {};
  const Activity told =
      threads.count(Activity::stopped) ? Activity::stopped : most_telling(threads);
  const auto found = std::ranges::find(threads.stacks, told, &KernelStack::activity);
  const auto& [frames, count, activity] =
      found != threads.stacks.end() ? *found : threads.stacks.front();
  // They are looked at a moment later, when some may be elsewhere.
  const bool all = count >= (activity == told ? threads.count(told) : threads.seen);
  return line_of(all || threads.total == 1 ? "in " : fmt::format("{} in ", count), frames);
}

} // namespace acceptwatch
