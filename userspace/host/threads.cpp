// SPDX-License-Identifier: Apache-2.0
#include "host/threads.h"

#include "base/file.h"
#include "base/text.h"
#include "host/told_thread.h"

#include <algorithm>
#include <dirent.h>
#include <fmt/format.h>
#include <map>
#include <memory>

namespace acceptwatch {
namespace {

using Clock = std::chrono::steady_clock;
using Directory = std::unique_ptr<DIR, decltype([](DIR* dir) { closedir(dir); })>;

/// The function of the kernel in which the thread sleeps, without a compiler's suffix
/// ("do_sys_poll.constprop.0"). Empty: it does not sleep, or the kernel shows "0", as 5.10 does to
/// everybody and others do to those who may not know.
std::string wait_of(const std::string& task) {
  auto function = read_line(task + "/wchan").value_or("");
  function.resize(std::min(function.find('.'), function.size()));
  return function == "0" ? std::string{} : function;
}

class Look {
public:
  Look(const ProcFs& procfs, const OwnerQuestion& asked, ThreadBounds bounds)
      : procfs_(procfs), asked_(asked), bounds_(bounds), end_(Clock::now() + bounds.time) {}

  void process(uint32_t pid) {
    const size_t seen_before = threads_.size();
    const auto tasks = procfs_.path(pid, "task");
    const Directory dir{opendir(tasks.c_str())};
    const dirent* entry = nullptr;
    while (dir && !cut_ && (entry = readdir(dir.get()))) {
      const auto tid = parse_number<uint32_t>(entry->d_name);
      if (!tid)
        continue;
      cut_ = used_up();
      if (!cut_)
        thread({pid, *tid}, fmt::format("{}/{}", tasks, entry->d_name));
    }
    // threads_of() may be smaller than what was seen: threads end while they are listed.
    const size_t seen = threads_.size() - seen_before;
    if (seen)
      processes_.push_back({pid, 0, {}});
    totals_[pid] = cut_ ? std::max(seen, threads_of(pid)) : seen;
  }

  [[nodiscard]] ThreadStates result() && {
    leave_out_supervisors();
    for (const SeenThread& thread : threads_)
      ++states_.doing[static_cast<size_t>(thread.activity)];
    states_.seen = threads_.size();
    for (const auto& [pid, total] : totals_)
      states_.total += total;
    states_.processes = processes_.size() - states_.supervisors;
    states_.waits = most_frequent_waits();
    states_.listener = awaited_by(threads_);
    note_accepters();
    if (const SeenThread* told = most_telling(threads_))
      states_.told = shown(*told);
    return std::move(states_);
  }

private:
  [[nodiscard]] bool used_up() const {
    return threads_.size() >= bounds_.threads || (!threads_.empty() && Clock::now() >= end_);
  }

  /// Of proc(5), from field 3 on.
  [[nodiscard]] std::vector<std::string> stat_of(uint32_t pid) const {
    const auto stat = read_file(procfs_.path(pid, "stat")).value_or("");
    const auto fields = fields_of_stat(stat);
    return {fields.begin(), fields.end()};
  }

  /// num_threads, field 20.
  [[nodiscard]] size_t threads_of(uint32_t pid) const {
    constexpr size_t num_threads = 20 - 3;
    const auto fields = stat_of(pid);
    return fields.size() > num_threads ? parse_number<size_t>(fields[num_threads]).value_or(0) : 0;
  }

  void thread(ThreadId id, const std::string& task) {
    const auto stat = read_file(task + "/stat");
    const auto fields = stat ? fields_of_stat(*stat) : std::vector<std::string_view>{};
    if (fields.empty())
      return; // it has ended meanwhile
    const auto function = wait_of(task);
    SeenThread seen{id, task};
    seen.activity = activity(fields[0], function, seen);
    seen.accepted = std::ranges::find(asked_.accepters, id) != asked_.accepters.end();
    seen.function = function;
    threads_.push_back(std::move(seen));
  }

  Activity activity(std::string_view state, const std::string& function, SeenThread& seen) {
    switch (state.front()) { // task_state_array of fs/proc/array.c
    case 'R':
      return Activity::running;
    case 'D':
      return Activity::disk;
    case 'T':
    case 't':
      return Activity::stopped;
    case 'Z':
    case 'X':
      return Activity::zombie;
    default:
      break;
    }
    seen.call = call_of(seen.task);
    if (!seen.call)
      return activity_of_wait(function);
    seen.awaits = awaits(seen);
    return activity_of_call(seen.task, *seen.call, function);
  }

  /// Threads of an event loop share what they wait for, and to list it takes its time.
  Awaited awaits(const SeenThread& seen) {
    const auto key = std::tuple{seen.id.pid, seen.call->number, seen.call->first};
    const auto known = awaited_.find(key);
    if (known != awaited_.end())
      return known->second;
    return awaited_[key] = awaits_listener(seen.task, *seen.call, asked_.inode);
  }

  void leave_out_supervisors() {
    if (processes_.size() < 2)
      return;
    for (SeenProcess& process : processes_) {
      constexpr size_t ppid = 4 - 3;
      const auto fields = stat_of(process.pid);
      process.parent = fields.size() > ppid ? parse_number<uint32_t>(fields[ppid]).value_or(0) : 0;
      process.program = read_link(procfs_.path(process.pid, "exe")).value_or("");
    }
    for (const uint32_t pid : supervisors_among(processes_, threads_)) {
      ++states_.supervisors;
      totals_.erase(pid);
      std::erase_if(threads_, [pid](const SeenThread& thread) { return thread.id.pid == pid; });
    }
  }

  [[nodiscard]] std::vector<KernelWait> most_frequent_waits() const {
    constexpr size_t shown = 4;
    std::map<std::string, size_t> counts;
    for (const SeenThread& thread : threads_) {
      if (!thread.function.empty())
        ++counts[thread.function];
    }
    std::vector<KernelWait> waits;
    waits.reserve(counts.size());
    for (const auto& [function, count] : counts)
      waits.push_back({function, count});
    std::ranges::stable_sort(waits, std::greater{}, &KernelWait::threads);
    if (waits.size() > shown)
      waits.resize(shown);
    return waits;
  }

  void note_accepters() {
    constexpr size_t enough = 16;
    for (const SeenThread& thread : threads_) {
      if (thread.awaits == Awaited::yes && states_.accepters.size() < enough)
        states_.accepters.push_back(thread.id);
    }
  }

  [[nodiscard]] static ToldThread shown(const SeenThread& thread) {
    ToldThread told;
    told.pid = thread.id.pid;
    told.tid = thread.id.tid;
    told.name = read_line(thread.task + "/comm").value_or("");
    told.activity = thread.activity;
    told.accepts = thread.accepted || thread.awaits == Awaited::yes;
    return told;
  }

  const ProcFs& procfs_;
  const OwnerQuestion& asked_;
  ThreadBounds bounds_;
  Clock::time_point end_;
  bool cut_ = false; ///< the other threads are not looked at
  ThreadStates states_;
  std::vector<SeenProcess> processes_;
  std::vector<SeenThread> threads_;
  std::map<uint32_t, size_t> totals_; ///< threads by process
  std::map<std::tuple<uint32_t, long, uint64_t>, Awaited> awaited_;
};

} // namespace

ThreadStates look_at_threads(const ProcFs& procfs, const OwnerQuestion& asked,
                             ThreadBounds bounds) {
  Look look{procfs, asked, bounds};
  for (const uint32_t pid : asked.pids)
    look.process(pid);
  return std::move(look).result();
}

} // namespace acceptwatch
