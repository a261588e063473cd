// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <unordered_map>

namespace acceptwatch {

/// The settings of a network namespace that limit the queues of its listeners.
struct QueueSettings {
  uint32_t somaxconn = 0;       ///< net.core.somaxconn
  uint32_t max_syn_backlog = 0; ///< net.ipv4.tcp_max_syn_backlog
  uint8_t syncookies = 0;       ///< net.ipv4.tcp_syncookies: 0, 1, 2
};

/// What to change for a queue to become longer.
enum class LimitFrom { listen, somaxconn, max_syn_backlog };

/// "listen()", "somaxconn", "tcp_max_syn_backlog"
[[nodiscard]] std::string_view name_of(LimitFrom from);

struct ListedQueue {
  std::optional<uint32_t> depth;
  std::optional<uint32_t> limit;
  std::optional<LimitFrom> limit_from;
  std::optional<uint32_t> peak = {}; ///< the greatest depth of several looks
  bool operator==(const ListedQueue&) const = default;
};

/// A listener in a snapshot. What is not known is absent.
struct Listed {
  uint64_t id = 0; ///< aw_listener.id
  Address address; ///< its own, perhaps a wildcard
  uint16_t port = 0;
  std::optional<uint32_t> netns;  ///< inode
  std::optional<uint64_t> socket; ///< socket cookie
  ListedQueue accept_queue;
  ListedQueue syn_queue;
  std::optional<uint32_t> drops; ///< sk_drops: more than lost connections count there
  std::optional<bool> reuseport; ///< in an SO_REUSEPORT group
  std::optional<Owner> owner;
  size_t owners = 0; ///< how many processes hold it; 0: not known
  /// When the owner was started, so that a listener of its own is not older.
  std::optional<Timestamp> owner_started;
};

/// What set the accept queue's `limit`: the argument of listen(), or somaxconn, which caps it.
/// Absent where the limit is above somaxconn. Then somaxconn was lowered after listen(), and the
/// limit may have come from either.
[[nodiscard]] std::optional<LimitFrom> accept_limit_from(uint32_t limit,
                                                         const QueueSettings& settings);

/// The SYN queue of a listener whose accept queue has this limit: the kernel stores no limit for
/// SYN queues, but derives it each time.
[[nodiscard]] ListedQueue syn_queue_of(std::optional<uint32_t> depth, uint32_t accept_limit,
                                       const QueueSettings& settings);

/// Address, port, namespace, cookie, and how many connections wait for accept().
[[nodiscard]] Listed listed(const aw_listener& listener);

/// All that the iterator over descriptors reports. The owner comes from the listener table.
[[nodiscard]] Listed listed(const aw_holder& holder);

/// The greatest depths of several looks, by aw_listener.id.
class Peaks {
public:
  void note(const Listed& entry);
  void show(Listed& entry) const;

private:
  struct Depths {
    std::optional<uint32_t> accept;
    std::optional<uint32_t> syn;
  };
  std::unordered_map<uint64_t, Depths> depths_;
};

/// By port, address, namespace.
[[nodiscard]] bool listed_before(const Listed& a, const Listed& b);

} // namespace acceptwatch
