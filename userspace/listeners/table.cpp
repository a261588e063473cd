// SPDX-License-Identifier: Apache-2.0
#include "listeners/table.h"

#include "events/decode.h"
#include "listeners/container.h"
#include "listeners/standstill.h"

#include <algorithm>
#include <span>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>

namespace acceptwatch {
namespace {

auto find_holder(std::vector<Holder>& holders, uint32_t pid) {
  return std::find_if(holders.begin(), holders.end(),
                      [pid](const Holder& holder) { return holder.pid == pid; });
}

/// As coarse as /proc/PID/stat has it, where other starts come from.
uint64_t in_clock_ticks(uint64_t start_ns) {
  static const uint64_t tick_ns = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return start_ns - start_ns % tick_ns;
}

/// One whose start is not known was started last; then the pid decides.
bool started_before(const Holder& a, const Holder& b) {
  const auto rank = [](const Holder& holder) {
    return std::tuple{holder.start_ns == 0, in_clock_ticks(holder.start_ns), holder.pid};
  };
  return rank(a) < rank(b);
}

/// The same for record after record, while nothing changes.
const Owner& shown_owner(const Holder& holder) {
  auto& shown = holder.shown;
  if (!shown || shown->pid != holder.pid || shown->name != holder.name ||
      !(shown->cgroup == holder.cgroup))
    shown = std::make_shared<const Owner>(to_owner(holder));
  return *shown;
}

bool is_wildcard(const Address& address) {
  return std::all_of(address.bytes.begin(), address.bytes.end(),
                     [](uint8_t byte) { return byte == 0; });
}

/// A wildcard of IPv6 takes IPv4 as well.
bool takes(const Listener& listener, const Address& address) {
  return listener.address == address ||
         (is_wildcard(listener.address) &&
          (listener.address.family == address.family || address.family == AF_INET));
}

ListenerState state_of(const aw_holder& record) {
  return {record.header.boot_ns,
          {record.listener.accept_depth, record.listener.accept_limit},
          {record.listener.syn_depth, record.listener.syn_limit},
          record.listener.head_us,
          {record.somaxconn, record.max_syn_backlog, record.syncookies},
          record.reuseport != 0};
}

/// Those that are looked at: each is a directory to be read.
std::span<const Holder> first_of(const std::vector<Holder>& holders) {
  constexpr size_t max_holders = 16;
  return std::span{holders}.first(std::min(holders.size(), max_holders));
}

/// Where the id is an address there is no inode to look for in /proc.
bool has_inode(const Listener& listener) { return listener.id < (1ULL << 63); }

} // namespace

const Holder* owner_of(const Listener& listener) {
  const Holder* first = nullptr;
  for (const Holder& holder : listener.holders) {
    if (holder.pid == listener.listen_pid)
      return &holder;
    if (!first || started_before(holder, *first))
      first = &holder;
  }
  if (!first && listener.last_holder)
    return &*listener.last_holder;
  return first;
}

Owner to_owner(const Holder& holder) {
  return {holder.pid, holder.name, holder.cgroup,
          holder.cgroup ? container_of_cgroup(*holder.cgroup) : std::nullopt};
}

Holder ListenerTable::make_holder(uint32_t pid, std::string name) const {
  return {pid, std::move(name), procfs_.cgroup(pid), procfs_.start_ns(pid).value_or(0), -1, 0};
}

void ListenerTable::add(Listener& listener, Holder holder) {
  if (const auto known = find_holder(listener.holders, holder.pid);
      known != listener.holders.end()) {
    if (holder.fd >= 0)
      known->fd = holder.fd;
    if (known->start_ns == 0)
      known->start_ns = holder.start_ns;
    if (!known->cgroup)
      known->cgroup = std::move(holder.cgroup);
    if (known->name.empty()) // else records tell of changes, in their order
      known->name = std::move(holder.name);
    return;
  }
  if (const auto back = find_holder(listener.let_go, holder.pid); back != listener.let_go.end())
    listener.let_go.erase(back);
  else
    held_[holder.pid].push_back(listener.id);
  listener.holders.push_back(std::move(holder));
  listener.verified_ns = 0;
}

void ListenerTable::drop(Listener& listener, uint32_t pid) {
  const auto holder = find_holder(listener.holders, pid);
  if (holder == listener.holders.end())
    return;
  // Who is named once nobody holds it: the one that was named before.
  if (listener.holders.size() == 1)
    listener.last_holder = std::move(*holder);
  listener.holders.erase(holder);
  if (listener.listen_pid == pid)
    listener.listen_pid = 0; // the number may be another process's soon
}

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
  if (record.somaxconn) // else /proc was scanned, which shows no queue
    listener.state = state_of(record);
  note_peaks(listener, record.listener);
  // Scans are repeated: a file would be read for each holder of each listener.
  const auto known = find_holder(listener.holders, record.pid);
  auto cgroup =
      known != listener.holders.end() && known->cgroup ? std::nullopt : procfs_.cgroup(record.pid);
  add(listener, {record.pid, comm_of(record.comm), std::move(cgroup), record.start_ns,
                 static_cast<int>(record.fd), record.header.boot_ns});
}

std::vector<Holder> ListenerTable::holders_after(const Listener& listener, uint64_t opened_ns) {
  std::vector<Holder> kept;
  for (const Holder& holder : listener.holders) {
    if (holder.scanned_ns > opened_ns)
      kept.push_back(holder);
    else
      std::erase(held_[holder.pid], listener.id);
  }
  for (const Holder& holder : listener.let_go)
    std::erase(held_[holder.pid], listener.id);
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
  std::string name = comm_of(record.comm);
  if (name.empty())
    name = procfs_.name(record.pid).value_or("");
  add(listener, make_holder(record.pid, name));
  // A scan may have found it under a name that it took later: that record is to come.
  find_holder(listener.holders, record.pid)->name = std::move(name);
}

void ListenerTable::closed(uint64_t id, uint64_t closed_ns) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end())
    return;
  Listener& listener = found->second;
  if (const Holder* owner = owner_of(listener))
    listener.last_holder = Holder{*owner};
  for (const Holder& holder : listener.holders)
    std::erase(held_[holder.pid], id);
  for (const Holder& holder : listener.let_go)
    std::erase(held_[holder.pid], id);
  listener.holders.clear();
  listener.let_go.clear();
  if (!listener.closed)
    closed_.push_back(id);
  listener.closed = true;
  listener.closed_ns = closed_ns;
  if (closed_.size() <= max_closed)
    return;
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
  }
  return group;
}

void ListenerTable::note_peaks(Listener& listener, const aw_listener& record) {
  listener.accept_peak = std::max(listener.accept_peak, record.accept_depth);
  listener.syn_peak = std::max(listener.syn_peak, record.syn_depth);
}

void ListenerTable::note_queues(const aw_listener& record) {
  const auto found = listeners_.find(record.id);
  if (found == listeners_.end())
    return;
  note_peaks(found->second, record);
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

const Listener* ListenerTable::find_at(uint32_t netns, const Address& address,
                                       uint16_t port) const {
  const Listener* best = nullptr;
  for (const Listener* listener : at(netns, port)) {
    if (listener->closed || !takes(*listener, address))
      continue;
    if (listener->address == address)
      return listener;
    if (!best || listener->address.family == address.family)
      best = listener;
  }
  return best;
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

void ListenerTable::process_changed(const aw_process& record) {
  switch (record.change) {
  case AW_PROCESS_FORK:
    return forked(record);
  case AW_PROCESS_EXEC:
    return executed(record);
  case AW_PROCESS_RENAME:
    return renamed(record);
  case AW_PROCESS_EXIT:
    return exited(record.pid);
  case AW_PROCESS_ACCEPTS:
    return accepts(record);
  default:
    return;
  }
}

/// Who may have handed a copy on. The parent may have closed its own since the fork,
/// and have been found without it: then the child's is looked for.
const Holder* ListenerTable::holder_at_fork(Listener& listener, const aw_process& record) const {
  const uint32_t parent = record.other_pid;
  if (const auto holder = find_holder(listener.holders, parent); holder != listener.holders.end())
    return &*holder;
  const auto former = find_holder(listener.let_go, parent);
  if (former == listener.let_go.end())
    return nullptr;
  const auto fd = procfs_.find_socket(record.pid, listener.id, former->fd);
  return fd && *fd >= 0 ? &*former : nullptr;
}

void ListenerTable::forked(const aw_process& record) {
  const auto held = held_.find(record.other_pid);
  if (held == held_.end())
    return;
  const auto ids = held->second; // add() changes held_
  for (const uint64_t id : ids) {
    Listener& listener = listeners_[id];
    const Holder* holder = holder_at_fork(listener, record);
    if (!holder)
      continue;
    Holder copy = make_holder(record.pid, holder->name);
    copy.start_ns = record.start_ns; // it may have exited since
    copy.fd = holder->fd;
    if (!copy.cgroup)
      copy.cgroup = holder->cgroup;
    add(listener, std::move(copy));
  }
}

/// Another program, and descriptors that were closed on the way.
void ListenerTable::executed(const aw_process& record) {
  const auto held = held_.find(record.pid);
  if (held == held_.end())
    return;
  const auto ids = held->second;
  for (const uint64_t id : ids) {
    Listener& listener = listeners_[id];
    const auto holder = find_holder(listener.holders, record.pid);
    if (holder == listener.holders.end())
      continue;
    holder->name = comm_of(record.comm);
    if (has_inode(listener) && procfs_.find_socket(record.pid, id, holder->fd) == -1) {
      drop(listener, record.pid);
      std::erase(held_[record.pid], id);
    }
  }
}

void ListenerTable::renamed(const aw_process& record) {
  const auto held = held_.find(record.pid);
  const auto name = record.comm[0] ? std::optional{comm_of(record.comm)} : procfs_.name(record.pid);
  if (held == held_.end() || !name)
    return;
  for (const uint64_t id : held->second) {
    Listener& listener = listeners_[id];
    const auto holder = find_holder(listener.holders, record.pid);
    if (holder != listener.holders.end())
      holder->name = *name;
  }
}

void ListenerTable::exited(uint32_t pid) {
  const auto held = held_.find(pid);
  if (held == held_.end())
    return;
  for (const uint64_t id : held->second) {
    Listener& listener = listeners_[id];
    drop(listener, pid);
    std::erase_if(listener.let_go, [pid](const Holder& holder) { return holder.pid == pid; });
  }
  held_.erase(held);
}

void ListenerTable::suspect_exits() {
  for (const auto& [pid, ids] : held_) {
    if (!procfs_.name(pid))
      suspects_.push_back(pid);
  }
}

void ListenerTable::drop_suspects() {
  for (const uint32_t pid : suspects_) {
    if (!procfs_.name(pid)) // else the number is another process's by now
      exited(pid);
  }
  suspects_.clear();
}

void ListenerTable::accepts(const aw_process& record) {
  const auto found = listeners_.find(record.listener);
  if (found != listeners_.end() && !found->second.closed)
    add(found->second, make_holder(record.pid, comm_of(record.comm)));
}

void ListenerTable::verify_holders(Listener& listener) {
  const Holder* owner = owner_of(listener);
  const auto owner_before = owner ? std::optional{*owner} : std::nullopt;
  std::vector<uint32_t> gone;
  for (Holder& holder : listener.holders) {
    const auto fd = procfs_.find_socket(holder.pid, listener.id, holder.fd);
    if (!fd)
      continue; // exited, or not ours to see: its exit is reported by itself
    if (*fd < 0)
      gone.push_back(holder.pid);
    else
      holder.fd = *fd;
  }
  for (const uint32_t pid : gone) {
    listener.let_go.push_back(*find_holder(listener.holders, pid));
    drop(listener, pid);
  }
  if (listener.holders.empty() && !gone.empty())
    listener.last_holder = owner_before;
}

bool ListenerTable::verify(uint64_t id, uint64_t happened_ns, uint64_t now_ns) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end())
    return false;
  Listener& listener = found->second;
  if (happened_ns > listener.verified_ns && has_inode(listener) && !listener.closed) {
    verify_holders(listener);
    listener.verified_ns = now_ns;
  }
  return !listener.holders.empty();
}

Listener* ListenerTable::due(uint64_t id, uint64_t Listener::*last_ns, uint64_t now_ns) {
  constexpr uint64_t pause_ns = 1'000'000'000;
  const auto found = listeners_.find(id);
  if (found == listeners_.end())
    return nullptr;
  Listener& listener = found->second;
  if (listener.closed || (listener.*last_ns && now_ns < listener.*last_ns + pause_ns))
    return nullptr;
  listener.*last_ns = now_ns;
  return &listener;
}

std::optional<ListenerTable::Exhausted> ListenerTable::exhausted_holder(uint64_t id,
                                                                        uint64_t now_ns) {
  const Listener* listener = due(id, &Listener::stall_checked_ns, now_ns);
  if (!listener)
    return std::nullopt;
  for (const Holder& holder : first_of(listener->holders)) {
    const auto descriptors = procfs_.descriptors(holder.pid);
    if (descriptors && descriptors->open >= descriptors->limit)
      return Exhausted{to_owner(holder), *descriptors};
  }
  return std::nullopt;
}

std::optional<OwnerState> ListenerTable::owner_state(uint64_t id, uint64_t now_ns) {
  const Listener* listener = due(id, &Listener::state_taken_ns, now_ns);
  const Holder* owner = listener ? owner_of(*listener) : nullptr;
  if (!owner)
    return std::nullopt;
  std::vector pids{owner->pid};
  for (const Holder& holder : first_of(listener->holders)) {
    if (holder.pid != owner->pid)
      pids.push_back(holder.pid);
  }
  return take_snapshot(procfs_, pids, read_stacks_);
}

void ListenerTable::attribute(Event& event) const {
  const Listener* listener = event.listener ? find(event.listener) : nullptr;
  const Holder* owner = listener ? owner_of(*listener) : nullptr;
  if (!owner)
    return;
  event.owner = shown_owner(*owner);
  event.owners = std::max<size_t>(listener->holders.size(), 1);
}

} // namespace acceptwatch
