// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/facts.h"
#include "events/blind_spot.h"
#include "events/listed.h"
#include "model/listener.h"

#include <bitset>
#include <optional>
#include <string>
#include <vector>

namespace acceptwatch {

/// Listeners of these processes; what is empty does not matter.
struct OwnerFilter {
  std::vector<uint32_t> pids;
  std::vector<std::string> names;
  std::vector<std::string> cgroups; ///< and those below

  [[nodiscard]] bool is_set() const { return !pids.empty() || !names.empty() || !cgroups.empty(); }
  /// Whether one of its holders is wanted. Null: nobody is known to listen.
  [[nodiscard]] bool wants(const Listener* listener) const;
};

/// What is watched, how, and what somebody wants to hear of it.
struct Scope {
  // How: the same for a whole run.
  aw_source tier = AW_SOURCE_POLL;
  bool sees_queues = false; ///< looks at listeners show their queues
  bool sees_accept = false;
  std::vector<BlindSpot> blind;

  // What somebody wants to hear of. Empty or absent: all.
  std::optional<std::bitset<65536>> ports;
  std::optional<uint32_t> netns; ///< inode
  uint16_t family = 0;           ///< AF_INET, AF_INET6; 0: both
  uint32_t actions = ~0U;        ///< bit (1 << aw_action)
  OwnerFilter owners;
  std::optional<uint64_t> most_events; ///< no more than so many are told
  /// Somebody asked what is wrong with a port: connections that come through are counted there, so
  /// that it can be said that nothing is.
  std::optional<uint16_t> explained;
  bool after_accept = false; ///< what owners close at once is watched
  /// Why the kernel's counters cannot be compared with what was seen, "port=80". They know
  /// network namespaces, and no other filter.
  std::vector<std::string> incomparable;

  // When to speak.
  uint8_t pressure_percent = 80; ///< of a queue's limit; 1 to 100
  double sample_seconds = 0;     ///< so often a sample of each listener that has one; 0: never
  Thresholds thresholds;

  [[nodiscard]] bool wants_action(aw_action action) const {
    return action < AW_NR_ACTIONS && (actions & (1U << action)) != 0;
  }
  [[nodiscard]] bool wants_place(uint32_t in_netns, uint16_t port) const {
    return (!ports || ports->test(port)) && (!netns || *netns == in_netns);
  }
  [[nodiscard]] bool wants_listener(const Listener& listener) const;
  [[nodiscard]] bool wants_listed(const Listed& entry) const;
};

} // namespace acceptwatch
