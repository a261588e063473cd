// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace acceptwatch {

/// What the model knows of a listener.
enum class ListenerUse {
  open,
  over,    ///< closed, and nothing more is counted for it but by chance
  unknown, ///< not seen yet, or forgotten since it was over
};
using UseOf = std::function<ListenerUse(uint64_t listener)>;

/// Commands for the kernel programs while they run. Without such programs they do nothing.
class KernelControl {
public:
  KernelControl() = default;
  virtual ~KernelControl() = default;
  KernelControl(const KernelControl&) = delete;
  KernelControl& operator=(const KernelControl&) = delete;

  /// The pressure on a listener is over. Returns how deep its queues were meanwhile, absent if that
  /// is not known; the next time, its begin is reported again.
  virtual std::optional<aw_peaks> end_pressure(uint64_t) { return std::nullopt; }
  /// Makes no records of this listener until `until_ns` (CLOCK_BOOTTIME), or until unmute(). A
  /// hint: some may still come.
  virtual void mute(uint64_t /*listener*/, uint64_t /*until_ns*/) {}
  virtual void unmute(uint64_t /*listener*/) {}
  /// Begins to count connections that enter the accept queues of a port, from 0. False where that
  /// does not work, or too many ports are counted already.
  virtual bool count_arrivals(const aw_place&) { return false; }
  virtual void stop_counting(const aw_place&) {}
  /// Whether records of dropped packets name the chain of nf_tables that dropped them, where that
  /// works. It costs something for every packet that passes a chain.
  virtual void watch_chains(bool /*watch*/) {}
  /// Makes room for counters of other listeners. Host::counters() is the same afterwards, but for
  /// those of listeners that were over and are unknown now: they are counted together.
  virtual void reclaim_counters(const UseOf& /*use_of*/) {}
};

} // namespace acceptwatch
