// SPDX-License-Identifier: Apache-2.0
// Who holds a listener: what processes do, and what /proc says of them.
#include "events/decode.h"
#include "model/table.h"

#include <algorithm>
#include <span>
#include <utility>

namespace acceptwatch {
namespace {

/// Those that are looked at: each is a directory to be read.
std::span<const Holder> first_of(const std::vector<Holder>& holders) {
  constexpr size_t max_holders = 16;
  return std::span{holders}.first(std::min(holders.size(), max_holders));
}

/// False: there was none. Memory of holders that were many is given back: of thousands of listeners
/// it is much.
bool erase_holder(std::vector<Holder>& holders, uint32_t pid) {
  const bool erased =
      std::erase_if(holders, [pid](const Holder& holder) { return holder.pid == pid; }) != 0;
  if (erased && holders.size() <= holders.capacity() / 4)
    holders.shrink_to_fit();
  return erased;
}

} // namespace

Holder ListenerTable::make_holder(uint32_t pid, std::string name) const {
  return {pid, std::move(name), host_.cgroup(pid), host_.start_ns(pid).value_or(0), -1, 0};
}

void ListenerTable::add(Listener& listener, Holder holder) {
  if (Holder* known = find_holder(listener.holders, holder.pid)) {
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
  if (!erase_holder(listener.let_go, holder.pid)) {
    if (!has_room(listener))
      return;
    held_[holder.pid].push_back(listener.id);
    ++held_count_;
  }
  listener.holders.push_back(std::move(holder));
  listener.verified_ns = 0;
}

bool ListenerTable::has_room(Listener& listener) {
  if (held_count_ < max_held || listener.holders.size() + listener.let_go.size() < always_held)
    return true;
  left_out_ += !listener.left_out_holders;
  listener.left_out_holders = true;
  return false;
}

void ListenerTable::release(uint32_t pid, uint64_t id) {
  const auto held = held_.find(pid);
  if (held == held_.end())
    return;
  held_count_ -= std::erase(held->second, id);
  if (held->second.empty())
    held_.erase(held);
}

void ListenerTable::drop(Listener& listener, uint32_t pid) {
  Holder* holder = find_holder(listener.holders, pid);
  if (!holder)
    return;
  // Who is named once nobody holds it: the one that was named before.
  if (listener.holders.size() == 1)
    listener.last_holder = *holder;
  erase_holder(listener.holders, pid);
  if (listener.listen_pid == pid)
    listener.listen_pid = 0; // the number may be another process's soon
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
    note_exit(record);
    note_exit_of_last_holder(record);
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
  if (const Holder* holder = find_holder(listener.holders, parent))
    return holder;
  const Holder* former = find_holder(listener.let_go, parent);
  if (!former)
    return nullptr;
  const auto fd = host_.find_socket(record.pid, listener.id, former->fd);
  return fd && *fd >= 0 ? former : nullptr;
}

void ListenerTable::forked(const aw_process& record) {
  const auto held = held_.find(record.other_pid);
  if (held == held_.end())
    return;
  const auto ids = held->second; // add() changes held_
  std::optional<Holder> child;   // looked at once, however many listeners it holds
  for (const uint64_t id : ids) {
    Listener& listener = listeners_[id];
    const Holder* holder = holder_at_fork(listener, record);
    if (!holder || !has_room(listener))
      continue;
    if (!child)
      child = make_holder(record.pid, holder->name);
    Holder copy = *child;
    copy.name = holder->name;
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
    Holder* holder = find_holder(listener.holders, record.pid);
    if (!holder)
      continue;
    holder->name = text_of(record.comm);
    if (has_inode(listener) && host_.find_socket(record.pid, id, holder->fd) == -1) {
      drop(listener, record.pid);
      release(record.pid, id);
    }
  }
}

void ListenerTable::renamed(const aw_process& record) {
  const auto held = held_.find(record.pid);
  const auto name = record.comm[0] ? std::optional{text_of(record.comm)} : host_.name(record.pid);
  if (held == held_.end() || !name)
    return;
  for (const uint64_t id : held->second) {
    Listener& listener = listeners_[id];
    if (Holder* holder = find_holder(listener.holders, record.pid))
      holder->name = *name;
  }
}

void ListenerTable::exited(uint32_t pid) {
  const auto held = held_.find(pid);
  if (held == held_.end())
    return;
  for (const uint64_t id : held->second) {
    Listener& listener = listeners_[id];
    if (const Holder* holder = find_holder(listener.holders, pid);
        holder && pid == listener.listen_pid)
      listener.lost_opener = *holder;
    drop(listener, pid);
    erase_holder(listener.let_go, pid);
  }
  held_count_ -= held->second.size();
  held_.erase(held);
}

/// Who has just closed its listeners was about to end.
void ListenerTable::note_exit(const aw_process& record) {
  constexpr uint64_t soon_ns = 10'000'000'000;
  for (auto id = closed_.rbegin(); id != closed_.rend(); ++id) {
    const auto found = listeners_.find(*id);
    if (found == listeners_.end() || !found->second.closed)
      continue;
    Listener& listener = found->second;
    if (listener.closed_ns + soon_ns < record.header.boot_ns)
      return;
    if (listener.end && listener.end->reason == AW_CLOSED && listener.end->pid == record.pid)
      listener.end->exit_code = record.exit_code;
  }
}

void ListenerTable::note_exit_of_last_holder(const aw_process& record) {
  const auto held = held_.find(record.pid);
  if (held == held_.end())
    return;
  for (const uint64_t id : held->second) {
    Listener& listener = listeners_[id];
    if (listener.holders.size() == 1 && find_holder(listener.holders, record.pid))
      listener.last_exit = end_of(record);
  }
}

void ListenerTable::suspect_exits() {
  for (const auto& [pid, ids] : held_) {
    if (!host_.name(pid))
      suspects_.push_back(pid);
  }
}

void ListenerTable::drop_suspects() {
  for (const uint32_t pid : suspects_) {
    if (!host_.name(pid)) // else the number is another process's by now
      exited(pid);
  }
  suspects_.clear();
}

void ListenerTable::accepts(const aw_process& record) {
  const auto found = listeners_.find(record.listener);
  if (found == listeners_.end() || found->second.closed)
    return;
  add(found->second, make_holder(record.pid, text_of(record.comm)));
  if (record.other_pid)
    note_accepter(found->second, {record.pid, record.other_pid});
}

void ListenerTable::verify_holders(Listener& listener) {
  const Holder* owner = owner_of(listener);
  const auto owner_before = owner ? std::optional{*owner} : std::nullopt;
  std::vector<uint32_t> gone;
  for (Holder& holder : listener.holders) {
    const auto fd = host_.find_socket(holder.pid, listener.id, holder.fd);
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

void ListenerTable::update_shortage(uint64_t id, uint64_t now_ns,
                                    std::optional<FileShortage>& shortage) {
  if (const Listener* listener = due(id, &Listener::stall_checked_ns, now_ns))
    shortage = shortage_of(*listener);
}

std::optional<FileShortage> ListenerTable::shortage_of(const Listener& listener) const {
  const auto of_host = host_.host_files();
  for (const Holder& holder : first_of(listener.holders)) {
    const auto descriptors = host_.descriptors(holder.pid);
    if (descriptors && descriptors->is_exhausted())
      return FileShortage{.of_host = false, .files = *descriptors};
    if (of_host && of_host->is_exhausted() && !host_.may_exceed_file_max(holder.pid))
      return FileShortage{.of_host = true, .files = *of_host};
  }
  return std::nullopt;
}

void ListenerTable::note_accepter(Listener& listener, ThreadId thread) {
  constexpr size_t most = 64;
  if (listener.accepters.size() < most &&
      std::ranges::find(listener.accepters, thread) == listener.accepters.end())
    listener.accepters.push_back(thread);
}

/// What the quota held back since the last look. Counts that have fallen are another cgroup's.
void ListenerTable::compare_quota(Listener& listener, OwnerState& state) {
  const auto before = std::exchange(listener.quota_before, state.cpu_quota);
  auto& quota = state.cpu_quota;
  if (!before || !quota || quota->periods <= before->periods ||
      quota->throttled < before->throttled)
    return;
  quota->recent_periods = quota->periods - before->periods;
  quota->recent_throttled = quota->throttled - before->throttled;
}

std::optional<OwnerState> ListenerTable::owner_state(uint64_t id, uint64_t now_ns) {
  Listener* listener = due(id, &Listener::state_taken_ns, now_ns);
  const Holder* owner = listener ? owner_of(*listener) : nullptr;
  if (!owner)
    return std::nullopt;
  OwnerQuestion asked{
      {owner->pid}, has_inode(*listener) ? listener->id : 0, listener->port, listener->accepters};
  for (const Holder& holder : first_of(listener->holders)) {
    if (holder.pid != owner->pid)
      asked.pids.push_back(holder.pid);
  }
  auto state = host_.owner_state(asked);
  if (!state)
    return state;
  for (const ThreadId& thread : state->threads.accepters)
    note_accepter(*listener, thread);
  compare_quota(*listener, *state);
  return state;
}

} // namespace acceptwatch
