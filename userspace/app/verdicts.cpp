// SPDX-License-Identifier: Apache-2.0
#include "app/verdicts.h"

#include "app/filter.h"
#include "base/file.h"
#include "probes/netstat.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// Pressure is over at three quarters of the share at which it begins, or a queue that
/// lingers there would be told of again and again.
constexpr uint32_t hysteresis_percent = 75;
/// Causes that take longer to show than the first: a burst that turns out to be a server
/// that hangs, a second client.
constexpr uint64_t settle_ns = 3'000'000'000;
/// Where nobody looks at the queues, pressure is told anew after that long.
constexpr uint64_t unseen_pressure_ns = 10'000'000'000;
/// Of which the longest wait is kept; more than the table has closed ones.
constexpr size_t max_oldest = 8192;
/// In the report at the end.
constexpr size_t max_listeners = 16;

Thresholds thresholds_of(const Options& options) {
  Thresholds thresholds;
  thresholds.stall_seconds = options.stall_seconds;
  if (options.command == Command::explain)
    thresholds.strays = 1; // somebody asked for this very port
  return thresholds;
}

bool is_below(const Queue& queue, uint32_t percent) {
  return !aw_under_pressure(queue.depth, queue.limit, percent);
}

bool is_loss(const Counter& counter) {
  return counter.key.action == AW_LISTEN_DROP || counter.key.action == AW_RESET_SENT ||
         counter.key.action == AW_HANDSHAKE_EXPIRED;
}

} // namespace

Verdicts::Verdicts(const Options& options, Source& source, const ProcFs& procfs,
                   ListenerTable& table, const Clock& clock)
    : options_(options), source_(source), procfs_(procfs), table_(table), clock_(clock),
      diagnosis_(thresholds_of(options)), flows_(source, table, clock) {}

bool Verdicts::place_wanted(uint32_t netns, uint16_t port) const {
  return (!options_.ports || options_.ports->test(port)) &&
         (!options_.netns || *options_.netns == netns);
}

bool Verdicts::listener_wanted(const Listener& listener) const {
  return place_wanted(listener.netns, listener.port) && owner_wanted(options_, &listener) &&
         (!options_.family || options_.family == listener.address.family);
}

void Verdicts::note(const aw_event& record, const Event& event, const Emit& emit) {
  const uint64_t at_ns = record.header.boot_ns;
  const Listener* listener = table_.find(event.listener);
  const bool has_queues = (record.flags & AW_HAS_ALL_OF_LISTENER) == AW_HAS_ALL_OF_LISTENER;
  if (has_queues)
    table_.note_queues(record.listener);
  if (!place_wanted(event.netns.value_or(0), event.server_port.value_or(0)))
    return;
  const SubjectKey key = subject_of(event);
  // Where packets cannot be read, nobody knows which port was closed.
  if (!key.listener && !key.port)
    return;
  diagnosis_.note(event, at_ns);
  flows_.note(event, at_ns);
  if (event.action == AW_LISTENER_OPENED)
    diagnosis_.listener_opened(key, at_ns);
  widen_pressure(event);
  const bool closes = event.action == AW_LISTENER_CLOSED;
  if (has_queues && listener && (closes || !listener->closed))
    look_at(key, {at_ns, *event.accept_queue, *event.syn_queue, record.listener.head_us,
                  event.oldest_seconds.value_or(0)});
  if (closes) {
    end_pressure(event.listener, at_ns, emit);
    diagnosis_.listener_closed(event.listener);
  }
  if (event.action == AW_QUEUE_PRESSURE)
    begin_pressure(event, at_ns);
}

void Verdicts::look_at(const SubjectKey& key, const Look& look) {
  diagnosis_.look(key, look);
  if (!look.accept.depth || !look.head_us)
    return;
  if (oldest_.size() >= max_oldest)
    std::erase_if(oldest_, [this](const auto& entry) { return !table_.find(entry.first); });
  double& oldest = oldest_[key.listener];
  oldest = std::max(oldest, look.head_seconds);
}

void Verdicts::begin_pressure(const Event& event, uint64_t at_ns) {
  pressed_.insert_or_assign(
      event.listener, Pressed{at_ns, event.accept_queue->depth, event.syn_queue->depth, event});
}

void Verdicts::widen_pressure(const Event& event) {
  const auto pressed = pressed_.find(event.listener);
  if (pressed == pressed_.end() || !event.accept_queue || !event.syn_queue)
    return;
  auto& [begun_ns, accept_peak, syn_peak, begin] = pressed->second;
  accept_peak = std::max(accept_peak, event.accept_queue->depth);
  syn_peak = std::max(syn_peak, event.syn_queue->depth);
}

void Verdicts::end_pressure(uint64_t listener, uint64_t at_ns, const Emit& emit) {
  const auto found = pressed_.find(listener);
  if (found == pressed_.end())
    return;
  auto [begun_ns, accept_peak, syn_peak, event] = std::move(found->second);
  pressed_.erase(found);
  const auto peaks = source_.end_pressure(listener);
  QueuePressure pressure{true, static_cast<double>(at_ns - std::min(at_ns, begun_ns)) / 1e9,
                         accept_peak, syn_peak};
  if (peaks) {
    pressure.accept = std::max(pressure.accept, peaks->accept);
    pressure.syn = std::max(pressure.syn, peaks->syn);
  }
  event.time = clock_.wall_time(at_ns);
  event.client_address.reset();
  event.client_port.reset();
  event.oldest_seconds.reset();
  event.stage = AW_STAGE_NONE;
  event.pressure = pressure;
  if (const Listener* now = table_.find(listener); now && now->state && !now->closed) {
    event.accept_queue = now->state->accept_queue;
    event.syn_queue = now->state->syn_queue;
  }
  table_.attribute(event);
  emit(event);
}

void Verdicts::look(uint64_t scan_ns, const Emit& emit) {
  flows_.look(scan_ns, [this](const Listener& listener) { return listener_wanted(listener); });
  std::vector<std::pair<uint64_t, uint64_t>> relieved;
  table_.for_each([&](const Listener& listener) {
    if (listener.closed || !listener.state || !listener_wanted(listener))
      return;
    const ListenerState& state = *listener.state;
    look_at({listener.id, listener.netns, listener.port},
            {state.at_ns, state.accept_queue, state.syn_queue, state.head_us,
             clock_.seconds_since(state.head_us, state.at_ns)});
    const auto pressed = pressed_.find(listener.id);
    const uint32_t percent = options_.pressure_percent * hysteresis_percent / 100;
    if (pressed != pressed_.end() && state.at_ns > pressed->second.begun_ns &&
        is_below(state.accept_queue, percent) && is_below(state.syn_queue, percent))
      relieved.emplace_back(listener.id, state.at_ns);
  });
  for (const auto& [id, pressed] : pressed_) {
    // Its end was among what was lost.
    const Listener* listener = table_.find(id);
    if (!listener || listener->closed)
      relieved.emplace_back(id, clock_.boot_now());
  }
  for (const auto& [listener, at_ns] : relieved)
    end_pressure(listener, at_ns, emit);
}

void Verdicts::forget_unseen_pressure(uint64_t now_ns) {
  std::erase_if(pressed_, [&](const auto& entry) {
    const bool old = now_ns > entry.second.begun_ns + unseen_pressure_ns;
    if (old)
      static_cast<void>(source_.end_pressure(entry.first));
    return old;
  });
}

/// An event about a listener, or a place, that no packet made.
Event Verdicts::event_about(const SubjectKey& key, aw_action action) const {
  Event event;
  event.time = clock_.now();
  event.action = action;
  event.source = source_.tier();
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

Event Verdicts::finding_event(const Diagnosis::Change& change) const {
  Event event = event_about(change.key, AW_FINDING);
  event.accept_queue = change.facts.accept_queue;
  event.syn_queue = change.facts.syn_queue;
  event.former = change.facts.former;
  event.verdict = change.verdict;
  return event;
}

void Verdicts::tell_stalls(const Emit& emit) {
  for (const auto& [key, oldest, idle] : diagnosis_.take_stalls()) {
    Event event = event_about(key, AW_ACCEPT_STALLED);
    if (const Facts* facts = diagnosis_.facts_of(key)) {
      event.accept_queue = facts->accept_queue;
      event.syn_queue = facts->syn_queue;
      event.shortage = facts->shortage;
      event.owner_state = facts->owner_state;
    }
    event.oldest_seconds = oldest;
    emit(event);
  }
}

std::optional<Verdicts::Cookies> Verdicts::read_cookies(const Facts& facts) const {
  if (!facts.owner)
    return std::nullopt;
  const auto text = read_file(procfs_.path(facts.owner->pid, "net/netstat"));
  if (!text)
    return std::nullopt;
  const auto counters = parse_net_counters(*text);
  const auto value = [&](const char* name) {
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
  };
  return Cookies{value("TcpExt:SyncookiesSent"), value("TcpExt:SyncookiesRecv")};
}

/// The first look comes after the first cookie, so that one and its like are missing:
/// what counts is the share of many.
void Verdicts::count_cookies(const SubjectKey& key, Facts& facts) {
  if (!facts.cookies.count)
    return;
  const auto now = read_cookies(facts);
  if (!now)
    return;
  const auto [before, fresh] = cookies_before_.try_emplace(key, *now);
  if (fresh)
    return;
  facts.cookies_sent = now->sent - std::min(now->sent, before->second.sent);
  facts.cookies_returned = now->returned - std::min(now->returned, before->second.returned);
}

void Verdicts::complete(const SubjectKey& key, Facts& facts) {
  const Listener* listener = table_.find(key.listener);
  if (!listener)
    return;
  const uint64_t now = clock_.boot_now();
  facts.listening = !listener->closed;
  if (const Holder* owner = owner_of(*listener))
    facts.owner = to_owner(*owner);
  facts.backlog = listener->backlog;
  if (listener->state) {
    facts.somaxconn = listener->state->settings.somaxconn;
    facts.syncookies = listener->state->settings.syncookies;
  }
  const auto [members, idle] = table_.group_of(*listener);
  facts.members = members;
  facts.idle_members = idle;
  if (facts.waiting_seconds > 0 || facts.overflow.count)
    table_.update_shortage(key.listener, now, facts.shortage);
  else
    facts.shortage.reset();
  if (facts.idle_seconds >= diagnosis_.thresholds().stall_seconds) {
    if (auto state = table_.owner_state(key.listener, now))
      facts.owner_state = std::move(state);
  }
  if (const auto waits = source_.waits(key.listener, listener->cookie))
    diagnosis_.note_accepted(key.listener, waits->accepted, now);
  count_cookies(key, facts);
}

void Verdicts::judge(const Emit& emit) {
  diagnosis_.complete([this](const SubjectKey& key, Facts& facts) { complete(key, facts); });
  const uint64_t now = clock_.boot_now();
  if (!source_.sees_queues())
    forget_unseen_pressure(now);
  const auto changes = diagnosis_.judge(now);
  tell_stalls(emit);
  for (const auto& change : changes) {
    if (!first_finding_ns_)
      first_finding_ns_ = now;
    emit(finding_event(change));
  }
  std::erase_if(cookies_before_,
                [this](const auto& entry) { return !diagnosis_.facts_of(entry.first); });
}

bool Verdicts::settled() const {
  return first_finding_ns_ && clock_.boot_now() >= first_finding_ns_ + settle_ns;
}

std::vector<Event> Verdicts::findings() const {
  std::vector<Event> events;
  for (const auto& change : diagnosis_.history())
    events.push_back(finding_event(change));
  return events;
}

ListenerReport Verdicts::report(const Listener& listener, const Lost& lost) const {
  ListenerReport report;
  report.address = listener.address;
  report.port = listener.port;
  report.netns = listener.netns;
  if (const Holder* owner = owner_of(listener))
    report.owner = to_owner(*owner);
  report.accept_queue = listener.accept_queue;
  report.accept_peak = listener.accept_peak;
  report.syn_peak = listener.syn_peak;
  report.lost = lost.all;
  if (const auto oldest = oldest_.find(listener.id); oldest != oldest_.end())
    report.oldest_seconds = oldest->second;
  report.derived = !source_.sees_accept();
  if (const auto waits = source_.waits(listener.id, listener.cookie)) {
    report.accepted = waits->accepted;
    report.waits = percentiles(waits->queued, waits->max_us);
    if (report.waits)
      report.waits->max = static_cast<double>(waits->max_us) / 1e6;
    report.handshake = percentiles(waits->handshake, 0);
    report.histogram.assign(waits->queued.begin(), waits->queued.end());
  }
  report.flow = flows_.of(listener, report.accepted, lost.full);
  return report;
}

std::vector<ListenerReport> Verdicts::listeners(std::span<const Counter> counters) const {
  std::map<uint64_t, Lost> lost;
  for (const Counter& counter : counters) {
    if (is_loss(counter))
      lost[counter.key.listener].all += counter.count;
    if (counter.key.action == AW_LISTEN_DROP && counter.key.reason == AW_ACCEPT_QUEUE_FULL)
      lost[counter.key.listener].full += counter.count;
  }
  std::vector<ListenerReport> reports;
  table_.for_each([&](const Listener& listener) {
    if (!listener_wanted(listener))
      return;
    const auto found = lost.find(listener.id);
    auto one = report(listener, found == lost.end() ? Lost{} : found->second);
    if (one.lost || one.accepted.value_or(0) || one.oldest_seconds)
      reports.push_back(std::move(one));
  });
  const auto slowness = [](const ListenerReport& one) {
    return one.waits ? one.waits->p99 : one.oldest_seconds.value_or(0);
  };
  std::ranges::sort(reports, [&](const ListenerReport& a, const ListenerReport& b) {
    return std::tuple{b.lost, slowness(b), a.port} < std::tuple{a.lost, slowness(a), b.port};
  });
  if (reports.size() > max_listeners)
    reports.resize(max_listeners);
  return reports;
}

std::vector<std::string> Verdicts::ruled_out() const {
  if (const auto& history = diagnosis_.history(); !history.empty())
    return acceptwatch::ruled_out(history.front().facts, diagnosis_.thresholds());
  Facts facts;
  table_.for_each([&](const Listener& listener) {
    if (listener.closed || !listener_wanted(listener))
      return;
    facts.listening = true;
    facts.accept_peak = std::max(facts.accept_peak, listener.accept_peak);
    facts.syn_peak = std::max(facts.syn_peak, listener.syn_peak);
    if (listener.state) {
      facts.accept_queue = listener.state->accept_queue;
      facts.syn_queue = listener.state->syn_queue;
    }
  });
  return acceptwatch::ruled_out(facts, diagnosis_.thresholds());
}

} // namespace acceptwatch
