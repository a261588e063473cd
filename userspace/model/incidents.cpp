// SPDX-License-Identifier: Apache-2.0
#include "model/incidents.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// Causes that take longer to show than the first: a burst that turns out to be a server that
/// hangs, which takes five seconds where accept() was seen to go on, a second client.
constexpr uint64_t settle_ns = 6'500'000'000;
/// After the last finding that began or ended, others may follow from it.
constexpr uint64_t calm_ns = 3'000'000'000;
constexpr uint64_t longest_ns = 30'000'000'000;
/// Of which the longest wait is kept; more than the table has closed ones.
constexpr size_t max_oldest = 8192;

} // namespace

Incidents::Incidents(const Scope& scope, const Host& host, KernelControl& control,
                     ListenerTable& table, const Auditor& auditor, const Flows& flows)
    : scope_(scope), host_(host), table_(table), auditor_(auditor), flows_(flows),
      diagnosis_(scope.thresholds), pressure_(scope.pressure_percent, control, table) {}

void Incidents::note(const aw_event& record, const Event& event, const Instant& now,
                     const Tell& tell) {
  const uint64_t at_ns = record.header.boot_ns;
  const Listener* listener = table_.find(event.listener);
  const SubjectKey key = subject_of(event);
  // Where packets cannot be read, nobody knows which port was closed.
  if (!key.listener && !key.port)
    return;
  diagnosis_.note(event, at_ns);
  if (event.action == AW_LISTENER_OPENED && takes_the_refused(key))
    diagnosis_.listener_opened(key, record.pid, at_ns);
  pressure_.note_depths(event);
  const bool closes = event.action == AW_LISTENER_CLOSED;
  const bool has_queues = (record.flags & AW_HAS_ALL_OF_LISTENER) == AW_HAS_ALL_OF_LISTENER;
  if (has_queues && listener && (closes || !listener->closed))
    note_queues(key, {at_ns, *event.accept_queue, *event.syn_queue, record.listener.head_us,
                      event.oldest_seconds.value_or(0)});
  if (closes) {
    pressure_.end(event.listener, at_ns, now, tell);
    diagnosis_.listener_closed(event.listener);
  }
  if (event.action == AW_QUEUE_PRESSURE && has_queues)
    pressure_.begin(event, at_ns);
}

/// Who listens at another address leaves clients where they are.
bool Incidents::takes_the_refused(const SubjectKey& key) const {
  const Facts* place = diagnosis_.facts_of({0, key.netns, key.port});
  return !place || place->refused_at.empty() ||
         std::ranges::any_of(place->refused_at, [&](const Address& address) {
           return !table_.find_at(key.netns, address, key.port).empty();
         });
}

void Incidents::note_queues(const SubjectKey& key, const QueueState& state) {
  diagnosis_.note_queues(key, state);
  if (!state.accept.depth || !state.head_us)
    return;
  if (oldest_.size() >= max_oldest)
    std::erase_if(oldest_, [this](const auto& entry) { return !table_.find(entry.first); });
  double& oldest = oldest_[key.listener];
  oldest = std::max(oldest, state.head_seconds);
}

void Incidents::take_look(const Instant& now, const Tell& tell) {
  table_.for_each([&](const Listener& listener) {
    if (listener.closed || !listener.state || !scope_.wants_listener(listener))
      return;
    const ListenerState& state = *listener.state;
    note_queues({listener.id, listener.netns, listener.port},
                {state.at_ns, state.accept_queue, state.syn_queue, state.head_us,
                 now.seconds_since(state.head_us, state.at_ns)});
  });
  pressure_.end_relieved(now, tell);
}

/// An event about a listener, or a place, that no packet made.
Event Incidents::event_about(const SubjectKey& key, aw_action action, const Instant& now) const {
  Event event;
  event.time = now.wall_time();
  event.action = action;
  event.source = scope_.tier;
  event.listener = key.listener;
  if (key.netns)
    event.netns = key.netns;
  if (key.port)
    event.server_port = key.port;
  if (const Listener* listener = table_.find(key.listener)) {
    event.server_address = listener->address;
    event.family = listener->address.family;
    if (listener->cookie)
      event.socket = listener->cookie;
  }
  table_.attribute(event);
  return event;
}

Event Incidents::finding_event(const Diagnosis::Change& change, const Instant& now) const {
  Event event = event_about(change.key, AW_FINDING, now);
  event.accept_queue = change.facts.accept_queue;
  event.syn_queue = change.facts.syn_queue;
  event.former = change.facts.former;
  event.verdict = change.verdict;
  return event;
}

void Incidents::tell_stalls(const Instant& now, const Tell& tell) {
  for (const auto& [key, oldest, idle] : diagnosis_.take_stalls()) {
    Event event = event_about(key, AW_ACCEPT_STALLED, now);
    if (const Facts* facts = diagnosis_.facts_of(key)) {
      event.accept_queue = facts->accept_queue;
      event.syn_queue = facts->syn_queue;
      event.shortage = facts->shortage;
      if (const OwnerState* state = facts->states.telling())
        event.owner_state = *state;
    }
    event.oldest_seconds = oldest;
    tell(event);
  }
}

/// Since the start: what a namespace counted before is another flood's.
void Incidents::count_cookies(uint32_t netns, Facts& facts) const {
  if (!facts.cookies.count || !facts.owner)
    return;
  const auto now = host_.cookies(facts.owner->pid);
  const auto before = auditor_.values_at_begin(netns);
  if (!now || !before)
    return;
  const auto since = [&](uint64_t value, KernelCounter counter) {
    const uint64_t begin = (*before)[static_cast<size_t>(counter)];
    return value - std::min(value, begin);
  };
  facts.cookies_sent = since(now->sent, KernelCounter::syncookies_sent);
  facts.cookies_returned = since(now->returned, KernelCounter::syncookies_recv);
}

/// A full table drops packets where rules do, and the kernel says no more of either.
void Incidents::note_conntrack(uint32_t netns, Facts& facts) const {
  if (!facts.dropped[AW_FIREWALL].count || !facts.owner)
    return;
  facts.conntrack = host_.conntrack(facts.owner->pid);
  const auto before = auditor_.evidence_at_begin(netns, EvidenceCounter::conntrack_drop);
  if (facts.conntrack && before)
    facts.conntrack_dropped =
        facts.conntrack->dropped - std::min(facts.conntrack->dropped, *before);
}

/// Whether the process that closed the listener runs on. One that was started later has its number.
void Incidents::note_former(const SubjectKey& key, Facts& facts) const {
  facts.former_lives = false;
  if (!facts.former || !facts.former->end || facts.former->end->reason != AW_CLOSED)
    return;
  const auto ended = table_.ended_at(key.netns, key.port);
  const auto former = std::ranges::find_if(
      ended, [&](const Listener* one) { return one->end->pid == facts.former->end->pid; });
  if (former != ended.end())
    facts.former->end = (*former)->end;
  if (facts.former->end->exit_code)
    return;
  const auto closed_ago_ns = nanoseconds(facts.former->closed_seconds_ago);
  const uint64_t refused_ns = facts.refused.first_ns;
  const auto start_ns = host_.start_ns(facts.former->end->pid);
  facts.former_lives = start_ns && *start_ns <= refused_ns - std::min(refused_ns, closed_ago_ns);
}

/// Of processes that listened there. A process may have had several listeners.
void Incidents::note_deaths(const SubjectKey& key, Facts& facts, const Instant& now) const {
  constexpr size_t most = 16;
  const auto since_ns = nanoseconds(diagnosis_.thresholds().deaths_seconds);
  const auto ended = table_.ended_at(key.netns, key.port);
  facts.deaths.clear();
  facts.died = {};
  for (const Listener* listener : ended) {
    const bool known = std::ranges::find(facts.deaths, listener->end->pid, &ListenerEnd::pid) !=
                       facts.deaths.end();
    if (!listener->end->is_death() || known || listener->closed_ns + since_ns < now.boot_ns)
      continue;
    if (!facts.died.count++)
      facts.died.last_ns = listener->closed_ns;
    facts.died.first_ns = listener->closed_ns;
    facts.deaths.insert(facts.deaths.begin(), *listener->end);
    if (facts.deaths.size() == most)
      return;
  }
}

/// Of a place where nobody listens. Who listens in other network namespaces matters only where
/// nobody does in this one: on a host of containers there are many.
void Incidents::note_elsewhere(const SubjectKey& key, Facts& facts) const {
  facts.elsewhere.clear();
  const auto all = table_.on_port(key.port);
  const bool here =
      std::ranges::any_of(all, [&](const Listener* other) { return other->netns == key.netns; });
  for (const Listener* other : all) {
    if (facts.elsewhere.size() == Facts::max_elsewhere)
      return;
    if (here && other->netns != key.netns)
      continue;
    const Holder* owner = owner_of(*other);
    facts.elsewhere.push_back({other->address, other->netns != key.netns,
                               owner ? std::optional{to_owner(*owner)} : std::nullopt});
  }
}

/// Who else holds it or shares its place.
void Incidents::note_holders(const Listener& listener, Facts& facts) const {
  const Holder* owner = owner_of(listener);
  const auto [members, idle, newest] = table_.group_of(listener);
  facts.members = members;
  facts.idle_members = idle;
  facts.newer_owner.reset();
  if (owner && owner->start_ns && newest && newest->pid != owner->pid &&
      newest->start_ns > owner->start_ns) {
    facts.newer_owner = to_owner(*newest);
    facts.newer_by_seconds = static_cast<double>(newest->start_ns - owner->start_ns) / 1e9;
  }
  facts.limit_before = listener.limit_before;
  facts.lost_opener.reset();
  if (listener.lost_opener)
    facts.lost_opener = to_owner(*listener.lost_opener);
}

void Incidents::complete(const SubjectKey& key, Facts& facts, const Instant& now) {
  const Listener* listener = table_.find(key.listener);
  if (!listener) {
    note_former(key, facts);
    note_deaths(key, facts, now);
    return note_elsewhere(key, facts);
  }
  facts.listening = !listener->closed;
  facts.end = listener->end;
  if (const Holder* owner = owner_of(*listener))
    facts.owner = to_owner(*owner);
  facts.backlog = listener->backlog;
  if (listener->state) {
    facts.somaxconn = listener->state->settings.somaxconn;
    facts.syncookies = listener->state->settings.syncookies;
  }
  note_holders(*listener, facts);
  if (facts.waiting_seconds > 0 || facts.overflow.count)
    table_.update_shortage(key.listener, now.boot_ns, facts.shortage);
  else
    facts.shortage.reset();
  if (facts.idle_seconds >= scope_.thresholds.stall_seconds ||
      facts.waiting_seconds >= scope_.thresholds.slow_seconds) {
    if (const auto state = table_.owner_state(key.listener, now.boot_ns))
      facts.states.add(*state);
  }
  if (!scope_.sees_accept)
    facts.arrived = flows_.arrivals_at(key.netns, key.port);
  if (const auto waits = host_.waits(key.listener, listener->cookie))
    diagnosis_.note_accepted(key.listener, waits->accepted, now.boot_ns);
  count_cookies(key.netns, facts);
  note_conntrack(key.netns, facts);
}

void Incidents::judge(const Instant& now, const Tell& tell) {
  diagnosis_.complete([&](const SubjectKey& key, Facts& facts) { complete(key, facts, now); });
  if (!scope_.sees_queues)
    pressure_.forget_unseen(now.boot_ns);
  const auto changes = diagnosis_.judge(now.boot_ns);
  tell_stalls(now, tell);
  for (const auto& change : changes) {
    if (!first_finding_ns_)
      first_finding_ns_ = now.boot_ns;
    last_change_ns_ = now.boot_ns;
    tell(finding_event(change, now));
  }
}

bool Incidents::is_settled(const Instant& now) const {
  return first_finding_ns_ && ((now.boot_ns >= first_finding_ns_ + settle_ns &&
                                now.boot_ns >= last_change_ns_ + calm_ns) ||
                               now.boot_ns >= first_finding_ns_ + longest_ns);
}

std::vector<Event> Incidents::findings(const Instant& now) const {
  std::vector<Event> events;
  for (const auto& change : diagnosis_.history())
    events.push_back(finding_event(change, now));
  return events;
}

std::optional<double> Incidents::oldest_seconds(uint64_t listener) const {
  const auto found = oldest_.find(listener);
  return found == oldest_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::string_view> Incidents::finding_names() const {
  std::vector<std::string_view> names;
  for (const auto& change : diagnosis_.history())
    names.push_back(change.verdict.finding.name);
  return names;
}

} // namespace acceptwatch
