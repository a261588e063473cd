// SPDX-License-Identifier: Apache-2.0
// What the monitor does by itself, in time: looks, sums, verdicts, losses, comparisons.
#include "model/monitor.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <tuple>

namespace acceptwatch {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;
constexpr uint64_t tenth_ns = second_ns / 10;

/// A look goes through every descriptor on the host: a twentieth of the time goes into it, or
/// more where it is so slow that owners would be out of date for too long.
constexpr uint64_t search_share = 20;
constexpr uint64_t max_search_pause_ns = 3 * second_ns;

/// A namespace may go at any time, and its counters with it: they are compared now and then, for a
/// hundredth of the time at most.
constexpr uint64_t audit_share = 100;
constexpr uint64_t min_audit_pause_ns = 10 * second_ns;

/// The queues are looked at now and then, though no record calls for it: connections may
/// wait and no other come. For this share of the time at most, and at most so often.
struct Pace {
  uint64_t share;
  uint64_t pause_ns;
};
/// A run ends within two seconds of being told to.
constexpr uint64_t longest_last_look_ns = second_ns / 4;
constexpr Pace ordinary_pace{100, second_ns};
constexpr Pace measuring_pace{50, second_ns / 4}; ///< waits are derived from these looks
constexpr Pace trouble_pace{20, second_ns / 4};

/// Peak and limit are of one listener: that whose queue was fuller than those of the others.
void note_fullest(const std::optional<Queue>& queue, uint32_t peak, std::optional<Queue>& fullest,
                  uint32_t& fullest_peak) {
  const auto share = [](uint32_t depth, const Queue& of) {
    return static_cast<double>(depth) / (static_cast<double>(of.limit) + 1);
  };
  if (!queue || (fullest && share(peak, *queue) <= share(fullest_peak, *fullest)))
    return;
  fullest = queue;
  fullest_peak = peak;
}

void note_fullest(const Listener& listener, CauseFacts& facts) {
  if (!listener.state)
    return;
  const ListenerState& state = *listener.state;
  note_fullest(state.accept_queue, listener.accept_peak, facts.accept_queue, facts.accept_peak);
  note_fullest(state.syn_queue, listener.syn_peak, facts.syn_queue, facts.syn_peak);
}

} // namespace

std::optional<Error> Monitor::look() {
  table_.begin_look();
  const auto looked = host_.look([this](const aw_holder& holder) { table_.add_holder(holder); });
  const uint64_t took = looked.ended_ns - looked.begun_ns;
  look_took_ns_ = took;
  now_.boot_ns = std::max(now_.boot_ns, looked.ended_ns);
  unmute_wanted();
  keep_counting_arrivals();
  next_search_ns_ = now_.boot_ns + std::min(took * search_share, max_search_pause_ns);
  flows_.take_look(looked.begun_ns, now_,
                   [this](const Listener& listener) { return scope_.wants_listener(listener); });
  incidents_.take_look(now_, [this](const Event& event) { tell(event); });
  const Pace pace = incidents_.trouble() ? trouble_pace
                    : flows_.measuring() ? measuring_pace
                                         : ordinary_pace;
  next_look_ns_ = now_.boot_ns + std::max(took * pace.share, pace.pause_ns);
  return looked.failed;
}

void Monitor::tick(const Instant& now) {
  now_ = now;
  if (now_.boot_ns >= next_sums_ns_)
    tell_summed_up();
  if (now_.boot_ns >= next_judge_ns_)
    look_and_judge();
  if (chains_until_ns_ && now_.boot_ns >= chains_until_ns_) {
    chains_until_ns_ = 0;
    control_.watch_chains(false);
  }
  brief_.tick(now_.boot_ns, [this](const Event& told) { hand_over(told); });
  if (now_.boot_ns >= next_losses_ns_)
    tell_losses();
  if (last_closed_ns_ && now_.boot_ns >= next_reclaim_ns_ && !stopped_)
    reclaim_counters();
  if (now_.boot_ns >= next_audit_ns_ && !stopped_) {
    compare_counters();
    if (now_.boot_ns >= next_told_audit_ns_)
      tell_audit();
  }
  if (scope_.sample_seconds > 0 && now_.boot_ns >= next_sample_ns_)
    tell_sample();
}

void Monitor::tell_sample() {
  next_sample_ns_ = now_.boot_ns + sample_pause_ns();
  counters_ = host_.counters();
  CauseFacts facts = cause_facts();
  facts.unexplained = {}; // compared at another instant
  sampler_.take(now_, wanted_counters(), all_losses_are_seen(facts),
                [this](const Sample& sample) { sink_.sampled(sample); });
}

/// A namespace that is gone is told once.
void Monitor::tell_audit() {
  next_told_audit_ns_ = now_.boot_ns + told_audit_pause_ns;
  Audit told = audit_so_far();
  if (!told.incomparable.empty())
    return;
  std::erase_if(told.namespaces, [this](const AuditedNamespace& audited) {
    if (audited.gone)
      return !gone_told_.insert(audited.netns).second;
    gone_told_.erase(audited.netns);
    return false;
  });
  sink_.audited(told);
}

Audit Monitor::audit_so_far() const {
  Audit audit = auditor_.result(losses_.counter_map, losses_.programs);
  audit.time = now_.wall_time();
  audit.incomparable = scope_.incomparable;
  return audit;
}

void Monitor::tell_summed_up() {
  next_sums_ns_ = now_.boot_ns + tenth_ns;
  summing_up_ = host_.has_summed_up();
  if (!summing_up_)
    return;
  counters_ = host_.counters();
  summed_up_.take(counters_, [&](aw_event example, uint64_t count) {
    example.header.boot_ns = now_.boot_ns;
    handle(example, count);
  });
}

/// The programs' map has room for some thousand listeners, which a restart a second fills in an
/// hour. Nothing to do while none is closed.
void Monitor::reclaim_counters() {
  constexpr uint64_t settled_ns = 2 * second_ns; // resets of queued children follow a close
  next_reclaim_ns_ = now_.boot_ns + second_ns;
  const auto use_of = [this](uint64_t id) {
    const Listener* listener = table_.find(id);
    if (!listener)
      return ListenerUse::unknown;
    const bool over = listener->closed && listener->closed_ns + settled_ns <= now_.boot_ns;
    return over ? ListenerUse::over : ListenerUse::open;
  };
  if (now_.boot_ns >= last_closed_ns_ + settled_ns)
    last_closed_ns_ = 0; // this is the last time
  control_.reclaim_counters(use_of);
  summed_up_.forget(use_of);
}

/// What the records and the queues add up to.
void Monitor::look_and_judge() {
  next_judge_ns_ = now_.boot_ns + tenth_ns;
  // A look that fails leaves the queues as they were last seen.
  if (scope_.sees_queues && now_.boot_ns >= next_look_ns_)
    static_cast<void>(look());
  if (incidents_.trouble())
    incidents_.judge(now_, [this](const Event& event) {
      note_seen(event);
      tell(event);
    });
}

void Monitor::tell_losses() {
  next_losses_ns_ = now_.boot_ns + second_ns;
  losses_ = host_.losses();
  losses_.lookups += table_.left_out();
  // What was in the ring buffer when they were suspected has been read since.
  table_.drop_suspects();
  // Among what was lost may be a fork or an exit.
  if (losses_.ring_buffer != told_losses_.ring_buffer ||
      losses_.followers != told_losses_.followers) {
    table_.suspect_exits();
    if (!look()) // else it is tried again with the next
      told_losses_.followers = losses_.followers;
  }
  tell_loss("ring_buffer", losses_.ring_buffer, told_losses_.ring_buffer);
  tell_loss("counter_map", losses_.counter_map, told_losses_.counter_map);
  tell_loss("program", losses_.programs, told_losses_.programs);
  tell_loss("lookup", losses_.lookups, told_losses_.lookups);
}

void Monitor::tell_loss(const char* where, uint64_t count, uint64_t& told) {
  if (count == told)
    return;
  sink_.take(Lost{now_.wall_time(), where, count - told});
  told = count;
}

void Monitor::schedule_audit(uint64_t took_ns) {
  next_audit_ns_ = now_.boot_ns + std::max(took_ns * audit_share, min_audit_pause_ns);
}

void Monitor::compare_counters(const std::function<void()>& at_the_instant) {
  const bool compares = scope_.incomparable.empty();
  const auto last = auditor_.last_readings();
  const auto before = compares ? host_.net_counters(scope_.netns, last) : NetCounterLook{};
  if (at_the_instant)
    at_the_instant();
  counters_ = host_.counters();
  const auto after = host_.net_counters(scope_.netns, last);
  if (compares)
    auditor_.compare(before.readings, counters_, after.readings);
  else
    auditor_.note(after.readings);
  schedule_audit(before.took_ns + after.took_ns);
}

void Monitor::audit(const Instant& now) {
  now_ = now;
  compare_counters();
  losses_ = host_.losses();
  losses_.lookups += table_.left_out();
}

void Monitor::stop(const std::function<void()>& deactivate, const Instant& now) {
  now_ = now;
  compare_counters(deactivate);
  stopped_ = true; // what the kernel counts from here on was not watched
}

void Monitor::finish(const Instant& now) {
  next_sums_ns_ = next_judge_ns_ = next_losses_ns_ = 0;
  // How the queues are at the end; on a host where that takes long, how they were last seen.
  next_look_ns_ = look_took_ns_ <= longest_last_look_ns ? 0 : UINT64_MAX;
  next_sample_ns_ = 0;
  tick(now);
  brief_.finish([this](const Event& told) { hand_over(told); });
  read_waits();
}

void Monitor::read_waits() {
  waits_.clear();
  if (!scope_.sees_accept)
    return;
  table_.for_each([this](const Listener& listener) {
    if (!scope_.wants_listener(listener))
      return;
    if (const auto waits = host_.waits(listener.id, listener.cookie))
      waits_.emplace(listener.id, *waits);
  });
}

std::vector<Counter> Monitor::wanted_counters() const {
  if (!scope_.owners.is_set())
    return counters_;
  auto counters = counters_;
  std::erase_if(counters, [&](const Counter& counter) {
    return !scope_.owners.wants(table_.find(counter.key.listener));
  });
  std::ranges::copy(found_.counters(), std::back_inserter(counters));
  return counters;
}

std::vector<Total> Monitor::totals(std::span<const Counter> counters) const {
  auto totals = name_totals(counters, table_);
  std::erase_if(totals, [&](const Total& total) {
    return total.action == AW_LISTENER_OPENED || total.action == AW_LISTENER_CLOSED ||
           total.action == AW_QUEUE_PRESSURE || !scope_.wants_action(total.action);
  });
  return totals;
}

/// Handshakes are what comes through, or does not; what listeners do is no event of a packet.
void Monitor::note_seen(const Event& event) {
  if (event.action != AW_FINDING && event.action != AW_LISTENER_OPENED)
    seen_[{event.action, event.reason, event.stage}] += event.count;
}

std::vector<Total> Monitor::seen_totals() const {
  std::vector<Total> totals;
  for (const auto& [key, count] : seen_) {
    Total& total = totals.emplace_back();
    std::tie(total.action, total.reason, total.stage) = key;
    total.count = count;
  }
  std::ranges::stable_sort(totals, std::ranges::greater{}, &Total::count);
  return totals;
}

/// Where accept() is seen it counts them.
void Monitor::keep_counting_arrivals() {
  if (!scope_.explained || scope_.sees_accept)
    return;
  table_.for_each([this](const Listener& listener) {
    if (!listener.closed && scope_.wants_listener(listener))
      flows_.keep_counting(listener.netns, listener.port);
  });
}

std::optional<uint64_t> Monitor::arrived() const {
  if (!scope_.sees_accept)
    return flows_.kept_arrivals();
  uint64_t sum = 0;
  table_.for_each([&](const Listener& listener) {
    if (!scope_.wants_listener(listener))
      return;
    if (const auto times = waits_.find(listener.id); times != waits_.end())
      sum += times->second.accepted;
    if (!listener.closed && listener.accept_queue)
      sum += listener.accept_queue->depth;
  });
  return sum;
}

CauseFacts Monitor::cause_facts() const {
  CauseFacts facts;
  facts.seen = seen_;
  facts.findings = incidents_.finding_names();
  facts.blind = scope_.blind;
  facts.lost_records = told_losses_.ring_buffer + told_losses_.counter_map + told_losses_.programs;
  facts.arrived = arrived();
  facts.after_accept = scope_.after_accept;
  std::set<uint32_t> namespaces;
  table_.for_each([&](const Listener& listener) {
    if (listener.closed || !scope_.wants_listener(listener))
      return;
    facts.listening = true;
    namespaces.insert(listener.netns);
    note_fullest(listener, facts);
  });
  facts.unexplained = auditor_.unexplained(namespaces);
  facts.evidence = auditor_.evidence(namespaces);
  return facts;
}

std::optional<Owner> Monitor::explained_owner() const {
  std::optional<Owner> owner;
  if (!scope_.explained)
    return owner;
  table_.for_each([&](const Listener& listener) {
    const Holder* holder = owner_of(listener);
    if (!listener.closed && holder && scope_.wants_listener(listener))
      owner = to_owner(*holder);
  });
  return owner;
}

Snapshot Monitor::snapshot() const {
  Snapshot snapshot;
  snapshot.time = now_.wall_time();
  snapshot.seconds = static_cast<double>(now_.boot_ns - begun_ns_) / 1e9;
  snapshot.records = told_;
  snapshot.lost = told_losses_.ring_buffer;
  const auto counters = wanted_counters();
  snapshot.totals = totals(counters);
  const CauseFacts facts = cause_facts();
  snapshot.listeners = report_listeners(scope_, table_, counters, waits_, flows_, incidents_);
  for (ListenerReport& report : snapshot.listeners)
    report.lost_is_all = all_losses_are_seen(facts);
  snapshot.findings = incidents_.findings(now_);
  snapshot.causes = judge_causes(facts);
  snapshot.outcome = outcome_of(facts, snapshot.causes);
  snapshot.evidence = evidence_seen(facts.evidence, facts.seen);
  snapshot.arrived = facts.arrived;
  snapshot.after_accept = scope_.after_accept;
  snapshot.owner = explained_owner();
  snapshot.seen = seen_totals();
  snapshot.audit = audit_so_far();
  return snapshot;
}

} // namespace acceptwatch
