// SPDX-License-Identifier: Apache-2.0
#include "model/monitor.h"

#include <algorithm>

namespace acceptwatch {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;
/// How long the kernel is told to be silent about a listener.
constexpr uint64_t mute_ns = second_ns;
/// After the last packet that a firewall dropped.
constexpr uint64_t chains_watched_ns = 60 * second_ns;

/// Where whoever listens has to be found; absent: it is not known.
std::optional<OwnEnd> listening_end_of(const Event& event) {
  if (event.server_nat && event.server_nat->address)
    return event.server_nat;
  if (!event.server_address || !event.server_port)
    return std::nullopt;
  return OwnEnd{event.server_address, *event.server_port};
}

} // namespace

Monitor::Monitor(Scope scope, ReasonNames names, const Host& host, KernelControl& control,
                 EventSink& sink)
    : scope_(std::move(scope)), names_(std::move(names)), host_(host), control_(control),
      sink_(sink), auditor_(scope_.netns, scope_.blind),
      flows_(scope_.sees_accept, host_, control_, table_),
      incidents_(scope_, host_, control_, table_, auditor_, flows_),
      sampler_(scope_, host_, table_) {}

Result<void> Monitor::begin(const std::function<Result<Instant>()>& activate) {
  const auto mounted = host_.mounted_namespaces();
  const auto before = host_.net_counters(scope_.netns, {}).readings;
  const auto activated = activate();
  if (!activated)
    return tl::unexpected{activated.error()};
  now_ = *activated;
  begun_ns_ = now_.boot_ns;
  auditor_.begin(mounted, before, host_.net_counters(scope_.netns, before).readings);
  schedule_audit(0);
  next_told_audit_ns_ = begun_ns_ + told_audit_pause_ns;
  const auto failed = look();
  sampler_.begin(now_);
  next_sample_ns_ = now_.boot_ns + sample_pause_ns();
  return failed ? Result<void>{tl::unexpected{*failed}} : Result<void>{};
}

void Monitor::apply(const Record& record, uint64_t count, const Instant& now) {
  now_ = now;
  if (const auto* event = std::get_if<aw_event>(&record)) {
    summed_up_.note(*event);
    handle(*event, count);
  } else if (const auto* process = std::get_if<aw_process>(&record)) {
    table_.process_changed(*process);
    unmute_wanted();
  }
}

void Monitor::handle(const aw_event& record, uint64_t count) {
  if (record.action == AW_LISTENER_OPENED)
    table_.opened(record);
  find_holders(record);
  Event event = to_event(record, now_, names_);
  event.count = count;
  if (scope_.explained && !is_in_place(event))
    follow(record, event);
  const auto listeners = listeners_of(event);
  name_place(record, listeners, event);
  table_.attribute(event);
  const bool wanted = is_wanted(listeners);
  if (record.action == AW_LISTENER_CLOSED) {
    event.end = table_.closed(record);
    event.reason = event.end ? event.end->reason : AW_REASON_NONE;
    last_closed_ns_ = now_.boot_ns;
  }
  if (!wanted)
    return mute(record.listener.id);
  if (event.reason == AW_FIREWALL)
    note_firewall(record, event);
  if (event.action == AW_LISTEN_DROP && event.reason == AW_ACCEPT_QUEUE_FULL)
    event.owner_state = table_.owner_state(event.listener, now_.boot_ns);
  if (scope_.owners.is_set())
    found_.note(record, event.listener, count);
  const bool in_place = is_in_place(event);
  // Of another place it is only seen so that the kernel's counters add up: `explain`.
  if (in_place || !scope_.explained) {
    note_seen(event);
    if (event.action == AW_LISTENER_OPENED || event.action == AW_LISTENER_CLOSED)
      tell_life(event, record.header.boot_ns);
    else
      tell(event);
  }
  if ((record.flags & AW_HAS_ALL_OF_LISTENER) == AW_HAS_ALL_OF_LISTENER)
    table_.note_queues(record.listener);
  if (!in_place)
    return;
  flows_.note(event, record.header.boot_ns);
  incidents_.note(record, event, now_, [this](const Event& told) { tell(told); });
}

/// Where the packet went, or, after a translation or TPROXY, where its listener is.
bool Monitor::is_in_place(const Event& event) const {
  const Listener* listener = event.listener ? table_.find(event.listener) : nullptr;
  const uint32_t netns = event.netns.value_or(0);
  return scope_.wants_place(netns, event.server_port.value_or(0)) ||
         (event.server_nat && scope_.wants_place(netns, event.server_nat->port)) ||
         (listener && scope_.wants_place(listener->netns, listener->port));
}

/// Of another place, to which connections for the one that is explained are sent on: the packet of
/// a listener does not say so any more.
void Monitor::follow(const aw_event& record, Event& event) {
  if (!event.server_address || !event.server_port)
    return;
  const auto leads_there = [&](const Translation& one) {
    return one.own.address == event.server_address && one.own.port == event.server_port;
  };
  auto found = std::ranges::find_if(translations_, leads_there);
  // What began a connection that has failed since was told before it failed.
  if (found == translations_.end() && record.header.boot_ns > translations_ns_) {
    translations_ = host_.translations();
    translations_ns_ = now_.boot_ns;
    found = std::ranges::find_if(translations_, leads_there);
  }
  if (found == translations_.end())
    return;
  event.server_nat = found->own;
  event.server_address = found->address;
  event.server_port = found->port;
}

/// Makes the table as true as can be before it is asked. accept() by another
/// process is seen by fentry alone, and listen() not by polling: there, and where
/// no holder is known, a look is due.
void Monitor::find_holders(const aw_event& record) {
  if (!(record.flags & AW_HAS_LISTENER))
    return;
  // Who calls listen() holds the socket, whatever it has done since.
  const bool called = record.action == AW_LISTENER_OPENED && record.pid;
  const bool held =
      called || table_.verify(record.listener.id, record.header.boot_ns, now_.boot_ns);
  const Listener* listener = table_.find(record.listener.id);
  if (listener && listener->closed)
    return;
  const bool sees_listen = record.header.source < AW_SOURCE_POLL;
  const bool complete =
      held && (scope_.sees_accept || (sees_listen && record.action == AW_LISTENER_OPENED));
  // A look that fails leaves the owner unknown, which the event shows.
  if (!complete && now_.boot_ns >= next_search_ns_)
    static_cast<void>(look());
}

/// Whom an event is about: its listener; or, of a packet that was refused before it came to one
/// or a connection that has no way back to its own, those that listen there now.
std::vector<const Listener*> Monitor::listeners_of(const Event& event) const {
  if (event.listener)
    return {table_.find(event.listener)};
  const auto end = listening_end_of(event);
  if (!event.netns || !end || event.is_passing || event.reason == AW_NO_LISTENER ||
      event.reason == AW_CLOSED_LISTENER)
    return {};
  return table_.find_at(*event.netns, *end->address, end->port);
}

/// Members of a SO_REUSEPORT group are not told apart there, so none is named unless they are one
/// process's. Where nobody listens, a restart may have left a gap.
void Monitor::name_place(const aw_event& record, const std::vector<const Listener*>& there,
                         Event& event) const {
  if (event.listener)
    return;
  if (!there.empty() && have_one_owner(there))
    event.listener = there.front()->id;
  if (event.reason == AW_NO_LISTENER || event.reason == AW_CLOSED_LISTENER)
    name_former(record, event);
}

void Monitor::name_former(const aw_event& record, Event& event) const {
  const auto end = listening_end_of(event);
  if (!event.netns || !end)
    return;
  const Listener* former = table_.find_former(*event.netns, *end->address, end->port);
  if (!former || !former->last_holder || former->closed_ns > record.header.boot_ns)
    return;
  const auto gap_ns = record.header.boot_ns - former->closed_ns;
  event.former = FormerListener{to_owner(*former->last_holder), static_cast<double>(gap_ns) / 1e9,
                                former->end};
}

bool Monitor::has_wanted_listener() const {
  bool found = false;
  table_.for_each([&](const Listener& listener) {
    found |= !listener.closed && scope_.wants_listener(listener);
  });
  return found;
}

bool Monitor::is_wanted(const std::vector<const Listener*>& listeners) const {
  if (listeners.empty())
    return scope_.owners.wants(nullptr);
  return std::ranges::any_of(
      listeners, [this](const Listener* listener) { return scope_.owners.wants(listener); });
}

/// Chains are watched from the first packet that one drops until none was dropped for a while.
void Monitor::note_firewall(const aw_event& record, Event& event) {
  if (record.chain)
    event.chain = host_.chain(record.chain);
  if (!chains_until_ns_)
    control_.watch_chains(true);
  chains_until_ns_ = now_.boot_ns + chains_watched_ns;
}

void Monitor::tell_life(const Event& event, uint64_t at_ns) {
  brief_.take(event, at_ns, [this](const Event& told) { hand_over(told); });
}

void Monitor::tell(const Event& event) {
  brief_.release(event.listener, [this](const Event& told) { hand_over(told); });
  hand_over(event);
}

void Monitor::hand_over(const Event& event) {
  if (!scope_.wants_action(event.action) || has_told_all())
    return;
  const bool of_listener = event.action == AW_LISTENER_OPENED || event.action == AW_LISTENER_CLOSED;
  if (of_listener && scope_.family && event.family != scope_.family)
    return;
  ++told_;
  sink_.take(event);
}

/// Nothing more of a listener whose owners are not wanted, where the record named it.
void Monitor::mute(uint64_t id) {
  if (!id || !table_.find(id))
    return;
  control_.mute(id, now_.boot_ns + mute_ns);
  muted_.insert(id);
}

/// Somebody else may hold some of them by now.
void Monitor::unmute_wanted() {
  std::erase_if(muted_, [this](uint64_t id) {
    const Listener* listener = table_.find(id);
    const bool stays = listener && !listener->closed && !scope_.owners.wants(listener);
    if (!stays)
      control_.unmute(id);
    return !stays;
  });
}

} // namespace acceptwatch
