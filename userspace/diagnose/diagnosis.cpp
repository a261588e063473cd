// SPDX-License-Identifier: Apache-2.0
#include "diagnose/diagnosis.h"

#include "diagnose/servers.h"

#include <algorithm>

namespace acceptwatch {
namespace {

double seconds_between(uint64_t from_ns, uint64_t to_ns) {
  return to_ns > from_ns ? static_cast<double>(to_ns - from_ns) / 1e9 : 0;
}

Seen& drop_of(Facts& facts, aw_reason reason) {
  switch (reason) {
  case AW_ACCEPT_QUEUE_FULL:
    return facts.overflow;
  case AW_SYN_QUEUE_FULL:
  case AW_SYN_BACKLOG_RESERVED:
    return facts.syn_drops;
  default:
    return facts.dropped[reason < AW_NR_REASONS ? reason : AW_OTHER];
  }
}

/// A service may write and close by its nature; of some servers it is known what they write then.
bool is_unserved(const Event& event) {
  return event.reason != AW_TURNED_AWAY ||
         (event.owner && writes_before_it_turns_away(event.owner->name));
}

/// Null: it is nothing that went wrong.
Seen* seen_of(Facts& facts, const Event& event) {
  switch (event.action) {
  case AW_LISTEN_DROP:
    return &drop_of(facts, event.reason);
  case AW_SYNCOOKIE_SENT:
    return event.reason == AW_SYN_QUEUE_FULL ? &facts.cookies : nullptr;
  case AW_SYNACK_RETRANSMIT:
    return event.reason == AW_NO_ACK ? &facts.silent : nullptr;
  case AW_HANDSHAKE_EXPIRED:
    return event.reason == AW_NO_ACK ? &facts.expired : nullptr;
  case AW_RESET_SENT:
    return event.reason == AW_NO_LISTENER         ? &facts.refused
           : event.reason == AW_ABORT_ON_OVERFLOW ? &facts.aborted
           : event.reason == AW_FIREWALL          ? &facts.rejected
                                                  : nullptr;
  case AW_CLOSED_AFTER_ACCEPT:
    return is_unserved(event) ? &facts.closed_early : nullptr;
  case AW_LISTENER_CLOSED:
    return event.accept_queue && event.accept_queue->depth ? &facts.lost_at_close : nullptr;
  default:
    return nullptr;
  }
}

std::vector<const Seen*> every_seen(const Facts& facts) {
  std::vector all{&facts.overflow,      &facts.aborted, &facts.syn_drops,   &facts.cookies,
                  &facts.silent,        &facts.expired, &facts.refused,     &facts.rejected,
                  &facts.lost_at_close, &facts.died,    &facts.closed_early};
  for (const Seen& seen : facts.dropped)
    all.push_back(&seen);
  return all;
}

uint64_t occurrences(const Event& event) {
  return event.action == AW_LISTENER_CLOSED ? event.accept_queue->depth : event.count;
}

std::optional<Translation> translation_of(const Event& event) {
  if (!event.server_nat || !event.server_port)
    return std::nullopt;
  return Translation{event.server_address, *event.server_port, *event.server_nat};
}

void note_refusal(Facts& facts, const Event& event) {
  Refused& refused = facts.refusals[event.reason];
  refused.packets[event.stage] += event.count;
  refused.device = event.device;
  refused.server = event.server_address;
  refused.client = event.client_address;
  refused.hook = event.netfilter_hook;
  refused.old_connection = event.old_connection;
  refused.translation = translation_of(event);
  refused.is_passing = event.is_passing;
}

void note_early_close(Facts& facts, const Event& event) {
  EarlyCloses& early = facts.early;
  const EarlyClose& close = *event.early_close;
  early.reasons[event.reason] += event.count;
  if (close.read)
    early.read += event.count;
  early.longest_seconds = std::max(early.longest_seconds, close.seconds);
  early.since_accept = close.since_accept;
  early.closer = event.end;
  if (!close.number)
    return;
  early.first_number = std::min(early.first_number.value_or(*close.number), *close.number);
  early.last_number = std::max(early.last_number.value_or(*close.number), *close.number);
}

/// How much went wrong. Of a few occurrences more, nobody is told again.
uint64_t size_of(const Facts& facts) {
  constexpr uint64_t least = 10;
  uint64_t size = 0;
  for (const Seen* seen : every_seen(facts))
    size += seen->count;
  return std::max(size, least);
}

void note_refused_at(Facts& facts, const Event& event) {
  const auto behind = translation_of(event);
  const Address& address =
      behind && behind->own.address ? *behind->own.address : *event.server_address;
  facts.refused_behind = behind;
  auto& known = facts.refused_at;
  if (known.size() < Facts::max_refused_at && std::ranges::find(known, address) == known.end())
    known.push_back(address);
}

/// When the last of what went wrong was seen.
uint64_t last_event_ns(const Facts& facts) {
  uint64_t last = 0;
  for (const Seen* seen : every_seen(facts))
    last = std::max(last, seen->last_ns);
  return last;
}

} // namespace

SubjectKey subject_of(const Event& event) {
  // Whoever listens, or does not, is behind the translation; the way there is in front of it.
  const bool is_behind = event.server_nat && !event.is_passing;
  const uint16_t port = is_behind ? event.server_nat->port : event.server_port.value_or(0);
  return {event.listener, event.netns.value_or(0), port};
}

Diagnosis::Subject* Diagnosis::subject(const SubjectKey& key, uint64_t at_ns) {
  const auto known = subjects_.find(key);
  if (known != subjects_.end())
    return &known->second;
  if (subjects_.size() >= max_subjects)
    return nullptr;
  Subject& fresh = subjects_[key];
  fresh.begun_ns = at_ns;
  fresh.facts.listening = key.listener != 0;
  return &fresh;
}

void Diagnosis::note_client(Subject& subject, const Event& event) const {
  if (!event.client_address || subject.clients.size() >= Facts::max_clients ||
      std::ranges::find(subject.clients, *event.client_address) != subject.clients.end())
    return;
  subject.clients.push_back(*event.client_address);
  subject.facts.clients = subject.clients.size();
}

/// A process may die before anybody is refused.
void Diagnosis::note_death(const Event& event, uint64_t at_ns) {
  if (event.action != AW_LISTENER_CLOSED || !event.end || !event.end->is_death())
    return;
  const SubjectKey key = subject_of(event);
  if (Subject* place = subject({0, key.netns, key.port}, at_ns))
    place->facts.died.add(1, at_ns);
}

void Diagnosis::note(const Event& event, uint64_t at_ns) {
  note_death(event, at_ns);
  Facts none;
  const bool lost = seen_of(none, event) != nullptr;
  if (!lost && event.action != AW_QUEUE_PRESSURE)
    return;
  Subject* found = subject(subject_of(event), at_ns);
  if (!found)
    return;
  if (Seen* seen = seen_of(found->facts, event))
    seen->add(occurrences(event), at_ns);
  if (event.action == AW_SYNACK_RETRANSMIT && event.reason == AW_NO_ACK &&
      event.retry.value_or(1) == 1)
    found->facts.silent_handshakes += event.count;
  if (event.action == AW_LISTEN_DROP && event.reason == AW_OTHER && event.kernel_reason)
    found->facts.kernel_reason = *event.kernel_reason;
  if (event.action == AW_RESET_SENT && event.reason == AW_NO_LISTENER && event.server_address)
    note_refused_at(found->facts, event);
  if (event.action == AW_LISTEN_DROP)
    note_refusal(found->facts, event);
  if (event.action == AW_CLOSED_AFTER_ACCEPT && event.early_close)
    note_early_close(found->facts, event);
  note_client(*found, event);
  if (event.chain)
    found->facts.chain = event.chain;
  if (event.owner_state)
    found->facts.states.add(*event.owner_state);
  if (event.action == AW_RESET_SENT && event.former && !found->facts.former)
    found->facts.former = event.former;
}

void Diagnosis::note_accepted(uint64_t listener, uint64_t total, uint64_t at_ns) {
  for (auto& [key, subject] : subjects_) {
    if (!listener || key.listener != listener)
      continue;
    if (!subject.accepted_first) {
      subject.accepted_first = subject.accepted_last = total;
      subject.begun_ns = at_ns;
    }
    if (total > subject.accepted_last)
      subject.idle_since_ns = at_ns;
    subject.facts.arrived = total - *subject.accepted_first;
    subject.accepted_last = total;
    if (const double seconds = seconds_between(subject.begun_ns, at_ns); seconds > 0)
      subject.facts.accept_rate = static_cast<double>(total - *subject.accepted_first) / seconds;
  }
}

void Diagnosis::take(Subject& subject, const QueueState& state) {
  Facts& facts = subject.facts;
  facts.accept_queue = state.accept;
  facts.syn_queue = state.syn;
  facts.accept_peak = std::max(facts.accept_peak, state.accept.depth);
  facts.syn_peak = std::max(facts.syn_peak, state.syn.depth);
  if (state.accept.depth <= state.accept.limit / 2)
    facts.drained_ns = state.at_ns;
  if (state.at_ns < subject.looked_ns)
    return; // read late: what follows is known better
  subject.looked_ns = state.at_ns;
  const bool waits = state.accept.depth && state.head_us;
  if (!waits || state.head_us != subject.head_us) {
    subject.idle_since_ns = state.at_ns;
    subject.stall_told = false;
    facts.heads += waits;
  }
  subject.head_us = waits ? state.head_us : 0;
  facts.waiting_seconds = waits ? state.head_seconds : 0;
  facts.idle_seconds = waits ? seconds_between(subject.idle_since_ns, state.at_ns) : 0;
  facts.oldest_seconds = std::max(facts.oldest_seconds, facts.waiting_seconds);
}

void Diagnosis::note_queues(const SubjectKey& key, const QueueState& state) {
  if (const auto known = subjects_.find(key); known != subjects_.end())
    return take(known->second, state);
  if (!state.accept.depth || state.head_seconds < thresholds_.slow_seconds)
    return;
  if (Subject* fresh = subject(key, state.at_ns))
    take(*fresh, state);
}

void Diagnosis::listener_opened(const SubjectKey& place, uint32_t pid, uint64_t at_ns) {
  const auto gap = subjects_.find({0, place.netns, place.port});
  if (gap == subjects_.end())
    return;
  Facts& facts = gap->second.facts;
  facts.listening = true;
  if (!facts.former || facts.gap_seconds)
    return;
  if (pid)
    facts.reopened_by = pid;
  facts.gap_seconds =
      facts.former->closed_seconds_ago + seconds_between(facts.refused.first_ns, at_ns);
}

void Diagnosis::listener_closed(uint64_t listener) {
  for (auto& [key, subject] : subjects_) {
    if (key.listener != listener)
      continue;
    subject.facts.listening = false;
    subject.facts.waiting_seconds = subject.facts.idle_seconds = 0;
    subject.head_us = 0;
  }
}

std::vector<Diagnosis::Stall> Diagnosis::take_stalls() {
  std::vector<Stall> stalls;
  for (auto& [key, subject] : subjects_) {
    if (subject.stall_told || !(subject.facts.waiting_seconds > 0) ||
        subject.facts.idle_seconds < thresholds_.stall_seconds)
      continue;
    subject.stall_told = true;
    stalls.push_back({key, subject.facts.waiting_seconds, subject.facts.idle_seconds});
  }
  return stalls;
}

void Diagnosis::complete(const std::function<void(const SubjectKey&, Facts&)>& fill) {
  for (auto& [key, subject] : subjects_)
    fill(key, subject.facts);
}

/// Where nobody looks at the queues, the last record said how it was then.
void Diagnosis::refresh(Subject& subject, uint64_t now_ns) const {
  subject.facts.now_ns = now_ns;
  if (now_ns > subject.looked_ns + thresholds_.hold_ns)
    subject.facts.waiting_seconds = subject.facts.idle_seconds = 0;
}

bool Diagnosis::is_over(const Subject& subject) const {
  const Facts& facts = subject.facts;
  const auto goes_on = [&](const Seen* seen) {
    return seen->count && facts.now_ns < seen->last_ns + thresholds_.hold_ns;
  };
  return subject.active.empty() && facts.waiting_seconds < thresholds_.slow_seconds &&
         facts.now_ns > subject.begun_ns + thresholds_.hold_ns &&
         std::ranges::none_of(every_seen(facts), goes_on);
}

void Diagnosis::remember(const Active& active, const Change& change) {
  if (active.history < history_.size())
    history_[active.history] = change;
}

/// So that an alert sees that it lasts, and that it worsens.
bool Diagnosis::is_told_again(Active& active, const Facts& facts) {
  constexpr uint64_t pause_ns = 60'000'000'000;
  constexpr uint64_t growth = 10;
  const uint64_t size = size_of(facts);
  if (facts.now_ns < active.told_ns + pause_ns && size < active.told_size * growth)
    return false;
  active.told_ns = facts.now_ns;
  active.told_size = size;
  return true;
}

void Diagnosis::begin_or_renew(const SubjectKey& key, Subject& subject, Finding finding,
                               std::vector<Change>& changes) {
  const auto name = finding.name;
  const uint64_t now_ns = subject.facts.now_ns;
  const auto known = subject.active.find(name);
  if (known != subject.active.end()) {
    Active& active = known->second;
    active.finding = std::move(finding);
    const Change change{
        key,
        {active.finding, FindingState::goes_on, seconds_between(active.begun_ns, now_ns)},
        subject.facts};
    remember(active, change);
    if (is_told_again(active, subject.facts))
      changes.push_back(change);
    return;
  }
  Active active{std::move(finding), now_ns, history_.size(), now_ns, size_of(subject.facts)};
  const Change change{key, {active.finding, FindingState::begun, 0}, subject.facts};
  if (history_.size() < max_history)
    history_.push_back(change);
  else
    active.history = max_history;
  subject.active.emplace(name, std::move(active));
  changes.push_back(change);
}

void Diagnosis::end(const SubjectKey& key, Subject& subject, std::string_view name,
                    std::vector<Change>& changes) {
  const auto known = subject.active.find(name);
  const Active& active = known->second;
  const uint64_t until_ns =
      active.finding.lingers ? last_event_ns(subject.facts) : subject.facts.now_ns;
  const Change change{
      key,
      {active.finding, FindingState::ended, seconds_between(active.begun_ns, until_ns)},
      subject.facts};
  remember(active, change);
  changes.push_back(change);
  subject.active.erase(known);
}

std::vector<Diagnosis::Change> Diagnosis::judge(uint64_t now_ns) {
  std::vector<Change> changes;
  for (auto& [key, subject] : subjects_) {
    refresh(subject, now_ns);
    auto findings = acceptwatch::judge(subject.facts, thresholds_);
    if (std::ranges::any_of(findings, [](const Finding& f) { return f.name == "syn_flood"; }))
      subject.facts.flooded_ns = now_ns;
    std::vector<std::string_view> ended;
    for (const auto& [name, active] : subject.active) {
      if (std::ranges::none_of(findings, [&](const Finding& f) { return f.name == name; }))
        ended.push_back(name);
    }
    for (const auto name : ended)
      end(key, subject, name, changes);
    for (Finding& finding : findings)
      begin_or_renew(key, subject, std::move(finding), changes);
  }
  std::erase_if(subjects_, [&](const auto& entry) { return is_over(entry.second); });
  return changes;
}

const Facts* Diagnosis::facts_of(const SubjectKey& key) const {
  const auto found = subjects_.find(key);
  return found == subjects_.end() ? nullptr : &found->second.facts;
}

} // namespace acceptwatch
