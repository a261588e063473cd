// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/facts.h"

namespace acceptwatch::unit {

inline constexpr uint64_t second = 1'000'000'000;
inline constexpr uint64_t now = 1000 * second;

/// A healthy listener.
inline Facts healthy() {
  Facts facts;
  facts.now_ns = now;
  facts.listening = true;
  facts.accept_queue = Queue{0, 10};
  facts.syn_queue = Queue{0, 10};
  facts.somaxconn = 4096;
  facts.syncookies = 1;
  facts.owner = Owner{4711, "java", {}};
  return facts;
}

inline Seen seen(uint64_t count, uint64_t seconds_ago = 1) {
  return {count, now - seconds_ago * second, now - seconds_ago * second};
}

} // namespace acceptwatch::unit
