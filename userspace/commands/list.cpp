// SPDX-License-Identifier: Apache-2.0
#include "output/list.h"
#include "base/version.h"
#include "commands/commands.h"
#include "commands/diagnostics.h"
#include "commands/scope.h"
#include "host/clock.h"
#include "host/holder_scan.h"
#include "host/identity.h"
#include "host/proc_host.h"
#include "host/survey.h"
#include "kernel/plan.h"
#include "model/table.h"
#include "output/outlet.h"
#include "probes/probe_features.h"
#include "probes/seed.h"
#include "probes/session.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <thread>
#include <unordered_map>

namespace acceptwatch {
namespace {

/// Every listener that is found, and who holds it.
class FoundListeners {
public:
  /// Found by the iterator, with all that is to be known.
  void add_holder(const aw_holder& holder) {
    entries_.insert_or_assign(holder.listener.id, listed(holder));
    table_.add_holder(holder);
  }

  void add(const Listed& entry) { entries_.try_emplace(entry.id, entry); }

  /// Where the iterator is not to be had, or does not see: the subflow of an MPTCP
  /// listener has its inode, and is none of its descriptors.
  void find_missing_owners() {
    const bool complete = std::ranges::all_of(
        entries_, [this](const auto& known) { return table_.find(known.first) != nullptr; });
    if (!complete)
      scan_procfs(procfs_, [this](const aw_holder& holder) { table_.add_holder(holder); });
  }

  [[nodiscard]] const ProcFs& procfs() const { return procfs_; }

  [[nodiscard]] std::vector<Listed> wanted(const Scope& scope, const Instant& now) const;

private:
  const ProcFs procfs_;
  const ProcHost host_;
  ListenerTable table_{host_};
  std::unordered_map<uint64_t, Listed> entries_;
};

std::vector<Listed> FoundListeners::wanted(const Scope& scope, const Instant& now) const {
  std::vector<Listed> found;
  for (const auto& [id, known] : entries_) {
    const Listener* listener = table_.find(id);
    if (!scope.wants_listed(known) || !scope.owners.wants(listener))
      continue;
    Listed& entry = found.emplace_back(known);
    if (const Holder* owner = listener ? owner_of(*listener) : nullptr) {
      entry.owner = to_owner(*owner);
      entry.owners = listener->left_out_holders ? 0 : listener->holders.size();
      if (owner->start_ns)
        entry.owner_started = now.wall_time(owner->start_ns);
    }
  }
  std::ranges::sort(found, listed_before);
  return found;
}

/// Looks at the queues, by the iterator if it can be had.
class QueueLooks {
public:
  /// Why the iterator cannot be asked, if it cannot.
  [[nodiscard]] Result<void> open(const Features& features) {
    const auto plan = seed_plan(features);
    if (!plan)
      return tl::unexpected{plan.error()};
    if (auto opened = seed_.open(*plan, nullptr); !opened)
      return opened;
    return seed_.load(*plan, nullptr);
  }

  [[nodiscard]] Result<void> ask_iterator(FoundListeners& snapshot) const {
    return seed_.scan([&](const aw_holder& holder) { snapshot.add_holder(holder); });
  }

  /// The depths alone, again and again for so many seconds. Queues fill within
  /// milliseconds; an iterator that sees many descriptors takes about as long.
  [[nodiscard]] Peaks look_for(double seconds, const ProcFs& procfs) const {
    constexpr std::chrono::milliseconds pause{20};
    using Time = std::chrono::steady_clock;
    const auto end = Time::now() + std::chrono::duration<double>(seconds);
    Peaks peaks;
    do {
      if (!seed_.can_scan() ||
          !seed_.scan([&](const aw_holder& holder) { peaks.note(listed(holder)); }))
        survey_listeners(procfs, [&](const Listed& entry) { peaks.note(entry); });
      std::this_thread::sleep_for(pause);
    } while (Time::now() < end);
    return peaks;
  }

private:
  Seed seed_;
};

void show_peaks(Peaks peaks, std::vector<Listed>& entries) {
  for (Listed& entry : entries) {
    peaks.note(entry);
    peaks.show(entry);
  }
}

std::string note_of(const Error& why, const Features& features) {
  std::string note = fmt::format("{}: sock_diag and /proc are asked instead. Not shown are the "
                                 "depth of SYN queues and SO_REUSEPORT",
                                 why.what);
  if (!features.cap_sys_ptrace)
    note += ", owners of other users' listeners, other network namespaces";
  else if (!features.cap_sys_admin)
    note += ", limits and drops in other network namespaces";
  return fmt::format("{}.\n{}", note, why.advice);
}

} // namespace

Result<void> list(const Options& options) {
  show_libbpf_messages(options.verbosity > 1);
  const auto features = probe_features({});
  if (!features)
    return tl::unexpected{features.error()};
  QueueLooks looks;
  FoundListeners snapshot;
  auto asked = looks.open(*features);
  Peaks peaks;
  if (options.duration)
    peaks = looks.look_for(*options.duration, snapshot.procfs());
  if (asked)
    asked = looks.ask_iterator(snapshot);
  survey_listeners(snapshot.procfs(), [&](const Listed& entry) { snapshot.add(entry); });
  snapshot.find_missing_owners();
  if (!asked && !options.quiet)
    print_note(note_of(asked.error(), *features));
  const Instant now = Clock{}.now();
  auto found = snapshot.wanted(scope_of(options), now);
  if (options.duration)
    show_peaks(std::move(peaks), found);
  return print_to_stdout(
      options.format == OutputFormat::ndjson
          ? list_as_ndjson(found, {now.wall_time(), host_name(), std::string{version()}})
          : list_as_text(found, options.wide));
}

} // namespace acceptwatch
