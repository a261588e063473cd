// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <optional>

namespace acceptwatch {

/// What can be told to the kernel programs while they run. Where there are none, it does nothing.
class KernelControl {
public:
  KernelControl() = default;
  virtual ~KernelControl() = default;
  KernelControl(const KernelControl&) = delete;
  KernelControl& operator=(const KernelControl&) = delete;

  /// Pressure on a listener is over: how far it went, and its next begin is told again. Absent: it
  /// is not known.
  virtual std::optional<aw_peaks> end_pressure(uint64_t) { return std::nullopt; }
  /// Nobody wants to hear of this listener: it is left out until `until_ns` (CLOCK_BOOTTIME), or
  /// until unmute(). A hint: its records may come all the same.
  virtual void mute(uint64_t /*listener*/, uint64_t /*until_ns*/) {}
  virtual void unmute(uint64_t /*listener*/) {}
  /// Counts connections that enter the accept queues of a port, from 0 on. False: that is not to
  /// be had, or too many are counted already.
  virtual bool count_arrivals(const aw_place&) { return false; }
  virtual void stop_counting(const aw_place&) {}
  /// From here on, or no longer, dropped packets tell the chain of nf_tables that dropped them,
  /// where that is to be had. Every packet that passes such a chain pays for it.
  virtual void watch_chains(bool /*watch*/) {}
};

} // namespace acceptwatch
