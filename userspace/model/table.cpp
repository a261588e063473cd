// SPDX-License-Identifier: Apache-2.0
#include "model/table.h"

#include "events/decode.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// The same for record after record, while nothing changes.
const Owner& shown_owner(const Holder& holder) {
  auto& shown = holder.shown;
  if (!shown || shown->pid != holder.pid || shown->name != holder.name ||
      !(shown->cgroup == holder.cgroup))
    shown = std::make_shared<const Owner>(to_owner(holder));
  return *shown;
}

ListenerState state_of(const aw_holder& record) {
  return {record.header.boot_ns,
          {record.listener.accept_depth, record.listener.accept_limit},
          {record.listener.syn_depth, record.listener.syn_limit},
          record.listener.head_us,
          {record.somaxconn, record.max_syn_backlog, record.syncookies},
          record.reuseport != 0};
}

} // namespace

Listener& ListenerTable::place(const aw_listener& record) {
  Listener& listener = listeners_[record.id];
  listener.id = record.id;
  listener.netns = record.netns;
  listener.address = address_of(record);
  listener.port = record.port;
  listener.cookie = record.cookie;
  auto& there = places_[{record.netns, record.port}];
  if (std::find(there.begin(), there.end(), record.id) == there.end())
    there.push_back(record.id);
  return listener;
}

void ListenerTable::displace(const Listener& listener) {
  const auto there = places_.find({listener.netns, listener.port});
  if (there != places_.end() && std::erase(there->second, listener.id) && there->second.empty())
    places_.erase(there);
}

void ListenerTable::add_holder(const aw_holder& record) {
  Listener& listener = listeners_[record.listener.id];
  if (listener.closed)
    return; // its end was seen already, the scan looked earlier
  place(record.listener);
  if (record.somaxconn) { // else /proc was scanned, which shows no queue
    listener.state = state_of(record);
    note_queue(listener, record.listener);
  }
  // Scans are repeated: a file would be read for each holder of each listener.
  const Holder* known = find_holder(listener.holders, record.pid);
  if (!known && !has_room(listener))
    return;
  auto cgroup = known && known->cgroup ? std::nullopt : cgroup_of(record.pid);
  add(listener, {record.pid, text_of(record.comm), std::move(cgroup), record.start_ns,
                 static_cast<int>(record.fd), record.header.boot_ns});
}

std::optional<std::string> ListenerTable::cgroup_of(uint32_t pid) {
  if (!looked_ || looked_->first != pid)
    looked_.emplace(pid, host_.cgroup(pid));
  return looked_->second;
}

std::vector<Holder> ListenerTable::holders_after(const Listener& listener, uint64_t opened_ns) {
  std::vector<Holder> kept;
  for (const Holder& holder : listener.holders) {
    if (holder.scanned_ns > opened_ns)
      kept.push_back(holder);
    else
      release(holder.pid, listener.id);
  }
  for (const Holder& holder : listener.let_go)
    release(holder.pid, listener.id);
  return kept;
}

void ListenerTable::opened(const aw_event& record) {
  Listener& listener = listeners_[record.listener.id];
  if (listener.closed)
    std::erase(closed_, listener.id);
  displace(listener);
  auto holders = holders_after(listener, record.header.boot_ns);
  listener = {};
  listener.holders = std::move(holders);
  place(record.listener);
  if (record.flags & AW_HAS_BACKLOG)
    listener.backlog = record.backlog;
  if (record.pid == 0)
    return; // polled: a scan finds who it was
  listener.listen_pid = record.pid;
  // A kernel that cannot name a thread's process leaves the name to /proc.
  std::string name = text_of(record.comm);
  if (name.empty())
    name = host_.name(record.pid).value_or("");
  add(listener, make_holder(record.pid, name));
  // A scan may have found it under a name that it took later: that record is to come.
  if (Holder* opener = find_holder(listener.holders, record.pid))
    opener->name = std::move(name);
}

std::optional<ListenerEnd> ListenerTable::closed(const aw_event& record) {
  const uint64_t id = record.listener.id;
  const auto found = listeners_.find(id);
  if (found == listeners_.end())
    return end_of(record);
  Listener& listener = found->second;
  if (const Holder* owner = owner_of(listener))
    listener.last_holder = Holder{*owner};
  listener.end = end_of(record);
  // record_source.h: RecordHandler. Who has exited of his own accord may have closed it before.
  if (!record.pid && listener.holders.empty() && listener.last_exit && listener.last_exit->signal())
    listener.end = listener.last_exit;
  for (const Holder& holder : listener.holders)
    release(holder.pid, id);
  for (const Holder& holder : listener.let_go)
    release(holder.pid, id);
  listener.holders = {};
  listener.let_go = {};
  if (!listener.closed)
    closed_.push_back(id);
  listener.closed = true;
  listener.closed_ns = record.header.boot_ns;
  const auto end = listener.end;
  if (closed_.size() > max_closed)
    forget_oldest_closed();
  return end;
}

void ListenerTable::forget_oldest_closed() {
  const auto oldest = listeners_.find(closed_.front());
  if (oldest != listeners_.end() && oldest->second.closed) {
    displace(oldest->second);
    listeners_.erase(oldest);
  }
  closed_.pop_front();
}

const Listener* ListenerTable::find(uint64_t id) const {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : &found->second;
}

void ListenerTable::for_each(const std::function<void(const Listener&)>& visit) const {
  for (const auto& [id, listener] : listeners_)
    visit(listener);
}

ListenerTable::Group ListenerTable::group_of(const Listener& listener) const {
  Group group;
  if (!listener.state || !listener.state->reuseport)
    return group;
  for (const Listener* other : at(listener.netns, listener.port)) {
    if (other->id == listener.id || other->closed || !other->state || !other->state->reuseport ||
        other->address != listener.address)
      continue;
    ++group.members;
    const Queue& queue = other->state->accept_queue;
    group.idle += queue.depth <= queue.limit / 2;
    const Holder* owner = owner_of(*other);
    if (owner && (!group.newest || owner->start_ns > group.newest->start_ns))
      group.newest = owner;
  }
  return group;
}

void ListenerTable::note_queue(Listener& listener, const aw_listener& record) {
  const auto& before = listener.accept_queue;
  if (before && before->limit != record.accept_limit && !listener.limit_before)
    listener.limit_before = before->limit;
  if (listener.limit_before == record.accept_limit)
    listener.limit_before.reset();
  if (!before || record.accept_depth > listener.accept_peak)
    listener.accept_peak_limit = record.accept_limit;
  listener.accept_queue = Queue{record.accept_depth, record.accept_limit};
  listener.accept_peak = std::max(listener.accept_peak, record.accept_depth);
  listener.syn_peak = std::max(listener.syn_peak, record.syn_depth);
  if (!listener.recent)
    listener.recent.emplace();
  auto& recent = *listener.recent;
  recent.accept_queue = *listener.accept_queue;
  recent.syn_queue = {record.syn_depth, record.syn_limit};
  recent.accept_peak = std::max(recent.accept_peak, record.accept_depth);
  recent.syn_peak = std::max(recent.syn_peak, record.syn_depth);
}

void ListenerTable::begin_interval() {
  for (auto& [id, listener] : listeners_)
    listener.recent.reset();
}

void ListenerTable::note_queues(const aw_listener& record) {
  const auto found = listeners_.find(record.id);
  if (found == listeners_.end())
    return;
  note_queue(found->second, record);
  if (record.cookie)
    found->second.cookie = record.cookie;
}

std::vector<const Listener*> ListenerTable::at(uint32_t netns, uint16_t port) const {
  std::vector<const Listener*> found;
  if (const auto there = places_.find({netns, port}); there != places_.end()) {
    for (const uint64_t id : there->second)
      found.push_back(find(id));
  }
  return found;
}

std::vector<const Listener*> ListenerTable::find_at(uint32_t netns, const Address& address,
                                                    uint16_t port) const {
  const auto fitness = [&](const Listener& listener) {
    return listener.address == address ? 2 : listener.address.family == address.family ? 1 : 0;
  };
  std::vector<const Listener*> best;
  for (const Listener* listener : at(netns, port)) {
    if (listener->closed || !takes(*listener, address))
      continue;
    if (!best.empty() && fitness(*listener) > fitness(*best.front()))
      best.clear();
    if (best.empty() || fitness(*listener) == fitness(*best.front()))
      best.push_back(listener);
  }
  return best;
}

std::vector<const Listener*> ListenerTable::on_port(uint16_t port) const {
  std::vector<const Listener*> found;
  for (const auto& [place, ids] : places_) {
    if (place.second != port)
      continue;
    for (const uint64_t id : ids) {
      if (const Listener* listener = find(id); listener && !listener->closed)
        found.push_back(listener);
    }
  }
  return found;
}

const Listener* ListenerTable::find_former(uint32_t netns, const Address& address,
                                           uint16_t port) const {
  const Listener* last = nullptr;
  for (const Listener* listener : at(netns, port)) {
    if (listener->closed && takes(*listener, address) &&
        (!last || listener->closed_ns > last->closed_ns))
      last = listener;
  }
  return last;
}

std::vector<const Listener*> ListenerTable::ended_at(uint32_t netns, uint16_t port) const {
  auto found = at(netns, port);
  std::erase_if(found, [](const Listener* one) { return !one->closed || !one->end; });
  std::ranges::sort(found, std::ranges::greater{}, &Listener::closed_ns);
  return found;
}

void ListenerTable::attribute(Event& event) const {
  const Listener* listener = event.listener ? find(event.listener) : nullptr;
  const Holder* owner = listener ? owner_of(*listener) : nullptr;
  if (!owner)
    return;
  event.owner = shown_owner(*owner);
  // Whoever lets a listener go is the last: what the table has of others is older.
  const bool ends = event.action == AW_LISTENER_CLOSED;
  event.owners = ends                         ? 1
                 : listener->left_out_holders ? 0
                                              : std::max<size_t>(listener->holders.size(), 1);
}

} // namespace acceptwatch
