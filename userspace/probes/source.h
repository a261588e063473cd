// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "account/totals.h"
#include "account/waits.h"
#include "events/decode.h"

#include <functional>
#include <vector>

namespace acceptwatch {

/// What was seen: a record, and how many occurrences it stands for.
using RecordHandler = std::function<void(const Record& record, uint64_t count)>;

/// Occurrences that no record stands for.
struct Losses {
  uint64_t ring_buffer = 0; ///< no room for the record
  uint64_t counter_map = 0; ///< no room for a counter of its own
  uint64_t programs = 0;    ///< the kernel skipped a program (recursion)
  /// It skipped one that follows processes or listeners: no event, but the table
  /// may be out of date.
  uint64_t followers = 0;
};

/// Where records come from: the BPF programs, or polling.
class Source {
public:
  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Every probe live; from here on nothing is missed.
  [[nodiscard]] virtual Result<void> activate() = 0;
  /// Finds listeners that are there, with their holders. May be repeated.
  [[nodiscard]] virtual Result<void> scan(const std::function<void(const aw_holder&)>& visit) = 0;
  /// Readable when records wait.
  [[nodiscard]] virtual int fd() const = 0;
  [[nodiscard]] virtual Result<void> drain(const RecordHandler& handler) = 0;
  /// No record after this, but for those that wait already.
  virtual void deactivate() = 0;

  [[nodiscard]] virtual std::vector<Counter> counters() const = 0;
  /// Whether occurrences were counted without a record since the last call. Cheap.
  [[nodiscard]] virtual bool folded() = 0;
  /// Since the start. Cheap: some twenty system calls.
  [[nodiscard]] virtual Losses losses() const = 0;
  /// Whether scan() shows the queues of listeners.
  [[nodiscard]] virtual bool sees_queues() const = 0;
  /// Pressure on a listener is over: how far it went, and its next begin is told again.
  /// Absent: it is not known.
  virtual std::optional<aw_peaks> end_pressure(uint64_t listener) = 0;
  /// Nobody wants to hear of this listener: it is left out for a second, or until
  /// unmute(). A hint: its records may come all the same.
  virtual void mute(uint64_t listener) = 0;
  virtual void unmute(uint64_t listener) = 0;
  /// Whether accept() is seen, and with it who calls it and how long connections waited.
  [[nodiscard]] virtual bool sees_accept() const = 0;
  /// Of a listener, by its id and its socket's cookie. Absent: it accepted nothing.
  [[nodiscard]] virtual std::optional<Waits> waits(uint64_t listener, uint64_t cookie) const = 0;
  /// Counts connections that enter the accept queues of a port, from 0 on. False: that is not to
  /// be had, or too many are counted already.
  virtual bool count_arrivals(const aw_place& place) = 0;
  virtual void stop_counting(const aw_place& place) = 0;
  /// Since count_arrivals(); 0: they are not counted.
  [[nodiscard]] virtual uint64_t arrivals(const aw_place& place) const = 0;
  /// Where in the kernel the threads of these processes are: the few most frequent stacks, most
  /// threads first. Takes some milliseconds at most. Empty: it is not to be had.
  [[nodiscard]] virtual std::vector<KernelStack>
  stacks(const std::vector<uint32_t>& pids) const = 0;
  /// From here on, or no longer, dropped packets tell the chain of nf_tables that dropped them,
  /// where that is to be had. Every packet that passes such a chain pays for it.
  virtual void watch_chains(bool watch) = 0;
  /// Of aw_event.chain. Absent: it is not known any more.
  [[nodiscard]] virtual std::optional<Chain> chain(uint64_t id) const = 0;
  [[nodiscard]] virtual aw_source tier() const = 0;
  /// What was attached, for people: "fentry/tcp_conn_request".
  [[nodiscard]] virtual std::vector<std::string> probes() const = 0;
};

} // namespace acceptwatch
