// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"
#include "events/time.h"
#include "host/host.h"
#include "model/scope.h"
#include "model/table.h"

#include <functional>
#include <map>
#include <span>
#include <unordered_map>

namespace acceptwatch {

/// What each listener went through between two samples: without these a recording has no queues in
/// it while nothing is lost.
class Sampler {
public:
  Sampler(const Scope& scope, const Host& host, ListenerTable& table)
      : scope_(scope), host_(host), table_(table) {}

  /// The first interval begins, and the queues were just looked at.
  void begin(const Instant& now);

  /// The interval ends, and the next one begins. Told is who has something to tell, and once more
  /// who had before. `lost_is_all`: each loss in it would have been counted.
  void take(const Instant& now, std::span<const Counter> counters, bool lost_is_all,
            const std::function<void(const Sample&)>& tell);

  /// Of an interval, so that a host with many listeners does not drown its reader: those with most
  /// losses and the longest queues.
  static constexpr size_t max_samples = 256;
  /// So many are asked how many connections they accepted, at most.
  static constexpr size_t max_asked = 1024;

private:
  struct LossKey {
    uint64_t listener = 0;
    aw_action action = AW_ACTION_NONE;
    aw_reason reason = AW_REASON_NONE;
    auto operator<=>(const LossKey&) const = default;
  };
  /// Of a listener at the last sample.
  struct Before {
    std::optional<uint32_t> depth; ///< of the accept queue
    std::optional<Waits> waits;
    bool told = false;
  };
  using LostHandshakes = std::map<LossKey, uint64_t>;

  [[nodiscard]] LostHandshakes losses_since(std::span<const Counter> counters);
  [[nodiscard]] Sample sample_of(const Listener& listener, const Instant& now) const;
  void add_losses(uint64_t listener, const LostHandshakes& losses, Sample& sample) const;
  void add_accepts(const Listener& listener, const Before& before, Before& after,
                   Sample& sample) const;

  const Scope& scope_;
  const Host& host_;
  ListenerTable& table_;
  uint64_t begun_ns_ = 0;
  LostHandshakes lost_; ///< in all, at the last sample
  std::unordered_map<uint64_t, Before> before_;
};

} // namespace acceptwatch
