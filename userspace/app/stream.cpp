// SPDX-License-Identifier: Apache-2.0
#include "app/stream.h"

#include "app/filter.h"

#include <algorithm>
#include <iterator>

namespace acceptwatch {
namespace {

/// A scan looks at every descriptor on the host: a twentieth of the time goes into
/// it, or more where it is so slow that owners would be out of date for too long.
constexpr uint64_t scan_share = 20;
constexpr uint64_t max_scan_pause_ns = 3'000'000'000;

/// A namespace may go at any time, and its counters with it: they are compared now
/// and then, for a hundredth of the time at most.
constexpr uint64_t audit_share = 100;
constexpr uint64_t min_audit_pause_ns = 10'000'000'000;
/// The queues are looked at now and then, though no record calls for it: connections may
/// wait and no other come. For this share of the time at most, and at most so often.
struct Pace {
  uint64_t share;
  uint64_t pause_ns;
};
constexpr Pace ordinary_pace{100, 1'000'000'000};
constexpr Pace measuring_pace{50, 250'000'000}; ///< waits are derived from these looks
constexpr Pace trouble_pace{20, 250'000'000};
constexpr uint64_t judge_pause_ns = 100'000'000;
// How often what is folded is told.
constexpr uint64_t folds_pause_ns = 100'000'000;
/// After the last packet that a firewall dropped.
constexpr uint64_t chains_watched_ns = 60'000'000'000;

bool is_lifecycle(aw_action action) {
  return action == AW_LISTENER_OPENED || action == AW_LISTENER_CLOSED;
}

} // namespace

Stream::Stream(const Options& options, Source& source, ReasonNames names, AuditScope audited,
               Formatter& formatter, OutputFile& output)
    : options_(options), source_(source), names_(std::move(names)), formatter_(formatter),
      output_(output), auditor_(std::move(audited), procfs_),
      verdicts_(options, source, procfs_, table_, clock_) {}

Result<void> Stream::begin(Start start) {
  const auto activate = [this] {
    auto activated = source_.activate();
    begun_ns_ = clock_.boot_now();
    return activated;
  };
  if (auto begun = auditor_.begin(activate); !begun)
    return begun;
  next_audit_ns_ = clock_.boot_now() + min_audit_pause_ns;
  // After the activation: a listener opened meanwhile is in the scan, in the
  // records, or in both.
  if (auto scanned = rescan(); !scanned)
    return scanned;
  start.time = clock_.wall_time(begun_ns_);
  formatter_.format(start, buffer_);
  return write();
}

Result<void> Stream::rescan() {
  const auto lent = reserve_.lend();
  const uint64_t begun = clock_.boot_now();
  auto scanned = source_.scan([this](const aw_holder& holder) { table_.add_holder(holder); });
  unmute_wanted();
  const uint64_t ended = clock_.boot_now();
  next_scan_ns_ = ended + std::min((ended - begun) * scan_share, max_scan_pause_ns);
  verdicts_.look(begun, [this](const Event& event) { emit(event); });
  const Pace pace = verdicts_.trouble()     ? trouble_pace
                    : verdicts_.measuring() ? measuring_pace
                                            : ordinary_pace;
  next_look_ns_ = ended + std::max((ended - begun) * pace.share, pace.pause_ns);
  return scanned;
}

/// What the records and the queues add up to.
void Stream::judge() {
  const uint64_t now = clock_.boot_now();
  if (now < next_judge_ns_)
    return;
  next_judge_ns_ = now + judge_pause_ns;
  // A scan that fails leaves the queues as they were last seen.
  if (source_.sees_queues() && now >= next_look_ns_)
    static_cast<void>(rescan());
  if (verdicts_.trouble())
    verdicts_.judge([this](const Event& event) { emit(event); });
}

Result<void> Stream::drain() {
  clock_.adjust();
  auto drained =
      source_.drain([this](const Record& record, uint64_t count) { handle(record, count); });
  if (clock_.boot_now() >= next_folds_ns_)
    tell_folds();
  judge();
  if (chains_until_ns_ && clock_.boot_now() >= chains_until_ns_) {
    chains_until_ns_ = 0;
    source_.watch_chains(false);
  }
  auto written = write();
  return drained ? written : drained;
}

void Stream::tell_folds() {
  const uint64_t now = clock_.boot_now();
  folding_ = source_.folded();
  next_folds_ns_ = now + folds_pause_ns;
  if (!folding_)
    return;
  folds_.take(source_.counters(), [&](aw_event example, uint64_t count) {
    example.header.boot_ns = now;
    handle_event(example, count);
  });
}

void Stream::handle(const Record& record, uint64_t count) {
  if (const auto* event = std::get_if<aw_event>(&record)) {
    folds_.note(*event);
    handle_event(*event, count);
  } else if (const auto* process = std::get_if<aw_process>(&record)) {
    table_.process_changed(*process);
    unmute_wanted();
  }
}

/// Nothing more of a listener whose owners are not wanted, where the record named it.
void Stream::mute(uint64_t id) {
  if (!id || !table_.find(id))
    return;
  source_.mute(id);
  muted_.insert(id);
}

/// Somebody else may hold some of them by now.
void Stream::unmute_wanted() {
  std::erase_if(muted_, [this](uint64_t id) {
    const Listener* listener = table_.find(id);
    const bool stays = listener && !listener->closed && !owner_wanted(options_, listener);
    if (!stays)
      source_.unmute(id);
    return !stays;
  });
}

/// Makes the table as true as can be before it is asked. accept() by another
/// process is seen by fentry alone, and listen() not by polling: there, and where
/// no holder is known, a scan is due.
void Stream::find_holders(const aw_event& record) {
  if (!(record.flags & AW_HAS_LISTENER))
    return;
  const uint64_t now = clock_.boot_now();
  // Who calls listen() holds the socket, whatever it has done since.
  const bool called = record.action == AW_LISTENER_OPENED && record.pid;
  const bool held = called || table_.verify(record.listener.id, record.header.boot_ns, now);
  const Listener* listener = table_.find(record.listener.id);
  if (listener && listener->closed)
    return;
  const bool sees_listen = record.header.source < AW_SOURCE_POLL;
  const bool complete =
      held && (source_.sees_accept() || (sees_listen && record.action == AW_LISTENER_OPENED));
  // A scan that fails leaves the owner unknown, which the record shows.
  if (!complete && now >= next_scan_ns_)
    static_cast<void>(rescan());
}

/// Whom a record is about. Of a packet that was refused before it came to a listener, or a
/// connection that has no way back to its own: who listens there now? Members of a
/// SO_REUSEPORT group are not told apart then, so none is named unless they are one
/// process's. Where nobody listens, a restart may have left a gap.
std::vector<const Listener*> Stream::find_listeners(const aw_event& record, Event& event) const {
  if (event.listener)
    return {table_.find(event.listener)};
  if (!event.netns || !event.server_address || !event.server_port)
    return {};
  if (event.reason == AW_NO_LISTENER || event.reason == AW_CLOSED_LISTENER) {
    find_former_listener(record, event);
    return {};
  }
  auto there = table_.find_at(*event.netns, *event.server_address, *event.server_port);
  if (!there.empty() && have_one_owner(there))
    event.listener = there.front()->id;
  return there;
}

bool Stream::is_wanted(const std::vector<const Listener*>& listeners) const {
  if (listeners.empty())
    return owner_wanted(options_, nullptr);
  return std::ranges::any_of(
      listeners, [this](const Listener* listener) { return owner_wanted(options_, listener); });
}

void Stream::find_former_listener(const aw_event& record, Event& event) const {
  const Listener* former =
      table_.find_former(*event.netns, *event.server_address, *event.server_port);
  if (!former || !former->last_holder || former->closed_ns > record.header.boot_ns)
    return;
  const auto gap_ns = record.header.boot_ns - former->closed_ns;
  event.former = FormerListener{to_owner(*former->last_holder), static_cast<double>(gap_ns) / 1e9};
}

void Stream::handle_event(const aw_event& record, uint64_t count) {
  if (record.action == AW_LISTENER_OPENED)
    table_.opened(record);
  find_holders(record);
  Event event = to_event(record, clock_, names_);
  event.count = count;
  const auto listeners = find_listeners(record, event);
  table_.attribute(event);
  const bool wanted = is_wanted(listeners);
  if (record.action == AW_LISTENER_CLOSED)
    table_.closed(record.listener.id, record.header.boot_ns);
  if (!wanted)
    return mute(record.listener.id);
  if (event.reason == AW_FIREWALL)
    note_firewall(record, event);
  if (event.action == AW_LISTEN_DROP && event.reason == AW_ACCEPT_QUEUE_FULL)
    event.owner_state = table_.owner_state(event.listener, clock_.boot_now());
  if (filters_owners(options_))
    found_.note(record, event.listener, count);
  emit(event);
  verdicts_.note(record, event, [this](const Event& told) { emit(told); });
}

/// Chains are watched from the first packet that one drops until none was dropped for a while.
void Stream::note_firewall(const aw_event& record, Event& event) {
  if (record.chain)
    event.chain = source_.chain(record.chain);
  if (!chains_until_ns_)
    source_.watch_chains(true);
  chains_until_ns_ = clock_.boot_now() + chains_watched_ns;
}

void Stream::emit(const Event& event) {
  if (!action_wanted(options_, event.action))
    return;
  if (is_lifecycle(event.action) && options_.family && event.family != options_.family)
    return;
  if (options_.count && records_ >= *options_.count)
    return;
  ++records_;
  formatter_.format(event, buffer_);
}

bool Stream::done() const {
  if (options_.command == Command::explain && verdicts_.settled())
    return true;
  return output_.closed_pipe() || (options_.count && records_ >= *options_.count);
}

Result<void> Stream::write() {
  auto written = output_.write(buffer_);
  buffer_.clear();
  return written;
}

void Stream::append_loss(const char* where, uint64_t now, uint64_t& before) {
  if (now == before)
    return;
  formatter_.format(Lost{clock_.now(), where, now - before}, buffer_);
  before = now;
}

Result<void> Stream::report_losses() {
  const Losses losses = source_.losses();
  // What was in the ring buffer when they were suspected has been read since.
  table_.drop_suspects();
  // Among what was lost may be a fork or an exit.
  if (losses.ring_buffer != told_.ring_buffer || losses.followers != told_.followers) {
    table_.suspect_exits();
    if (rescan()) // else it is tried again with the next
      told_.followers = losses.followers;
  }
  append_loss("ring_buffer", losses.ring_buffer, told_.ring_buffer);
  append_loss("counter_map", losses.counter_map, told_.counter_map);
  append_loss("program", losses.programs, told_.programs);
  if (clock_.boot_now() >= next_audit_ns_)
    compare_counters();
  return write();
}

void Stream::compare_counters() {
  const uint64_t begun = clock_.boot_now();
  auditor_.compare([this] { return source_.counters(); });
  const uint64_t ended = clock_.boot_now();
  next_audit_ns_ = ended + std::max((ended - begun) * audit_share, min_audit_pause_ns);
}

Audit Stream::audit_result() const {
  const Losses losses = source_.losses();
  return auditor_.result(losses.counter_map, losses.programs);
}

Audit Stream::audit() {
  compare_counters();
  return audit_result();
}

std::vector<Counter> Stream::wanted_counters() const {
  auto counters = source_.counters();
  if (!filters_owners(options_))
    return counters;
  std::erase_if(counters, [&](const Counter& counter) {
    return !owner_wanted(options_, table_.find(counter.key.listener));
  });
  std::ranges::copy(found_.counters(), std::back_inserter(counters));
  return counters;
}

std::vector<Total> Stream::totals() const {
  auto totals = name_totals(wanted_counters(), table_);
  std::erase_if(totals, [&](const Total& total) {
    return is_lifecycle(total.action) || total.action == AW_QUEUE_PRESSURE ||
           !action_wanted(options_, total.action);
  });
  return totals;
}

Result<void> Stream::finish() {
  auditor_.compare([this] {
    source_.deactivate();
    return source_.counters();
  });
  next_folds_ns_ = 0;
  next_judge_ns_ = 0;
  next_look_ns_ = 0;           // how the queues are at the end
  next_audit_ns_ = UINT64_MAX; // what the kernel counts from here on was not watched
  if (auto drained = drain(); !drained)
    return drained;
  if (auto reported = report_losses(); !reported)
    return reported;
  Summary summary;
  summary.time = clock_.now();
  summary.seconds = static_cast<double>(clock_.boot_now() - begun_ns_) / 1e9;
  summary.records = records_;
  summary.lost = told_.ring_buffer;
  summary.totals = totals();
  summary.listeners = verdicts_.listeners(wanted_counters());
  summary.findings = verdicts_.findings();
  summary.ruled_out = verdicts_.ruled_out();
  summary.audit = audit_result();
  formatter_.format(summary, buffer_);
  return write();
}

} // namespace acceptwatch
