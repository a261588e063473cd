// SPDX-License-Identifier: Apache-2.0
#include "model/listener.h"

#include "events/container.h"

#include <algorithm>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>

namespace acceptwatch {
namespace {

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

bool is_wildcard(const Address& address) {
  return std::all_of(address.bytes.begin(), address.bytes.end(),
                     [](uint8_t byte) { return byte == 0; });
}

} // namespace

Holder* find_holder(std::vector<Holder>& holders, uint32_t pid) {
  const auto found =
      std::ranges::find_if(holders, [pid](const Holder& holder) { return holder.pid == pid; });
  return found == holders.end() ? nullptr : &*found;
}

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

bool have_one_owner(const std::vector<const Listener*>& listeners) {
  const auto pid_of = [](const Listener* listener) {
    const Holder* owner = owner_of(*listener);
    return owner ? owner->pid : 0;
  };
  return std::ranges::all_of(listeners, [&](const Listener* listener) {
    return pid_of(listener) == pid_of(listeners.front());
  });
}

Owner to_owner(const Holder& holder) {
  return {holder.pid, holder.name, holder.cgroup,
          holder.cgroup ? container_of_cgroup(*holder.cgroup) : std::nullopt};
}

bool has_inode(const Listener& listener) { return listener.id < (1ULL << 63); }

bool takes(const Listener& listener, const Address& address) {
  // A wildcard of IPv6 takes IPv4 as well.
  return listener.address == address ||
         (is_wildcard(listener.address) &&
          (listener.address.family == address.family || address.family == AF_INET));
}

} // namespace acceptwatch
