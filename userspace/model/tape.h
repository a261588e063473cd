// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/kernel_reasons.h"
#include "model/event_sink.h"
#include "model/monitor.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace acceptwatch {

// A tape holds all that came into a Monitor, in its order: records with the instants at which they
// were applied, ticks, and every answer of the host and the kernel. Played back through a Monitor
// it gives the same events, on any machine. docs/tapes.md describes its form.

/// What a tape begins with: what the Monitor was made of.
struct TapeHead {
  Scope scope;
  Start start;
  KernelReasons reasons;
};

/// Writes a tape. What it makes is handed to `write`, a piece at a time.
class TapeWriter {
public:
  using Write = std::function<void(std::string_view bytes)>;

  /// `leaves_out_names`: addresses, and names of processes, cgroups and chains, are replaced by
  /// others that are the same for the same. Ports, pids and counts stay.
  TapeWriter(const TapeHead& head, bool leaves_out_names, Write write);
  ~TapeWriter();
  TapeWriter(const TapeWriter&) = delete;
  TapeWriter& operator=(const TapeWriter&) = delete;

  /// What was given to the Monitor next.
  void begin(const Result<Instant>& activated);
  void apply(const Record& record, uint64_t count, const Instant& now);
  void tick(const Instant& now);
  void stop(const Instant& now);
  void finish(const Instant& now);
  void audit(const Instant& now);

  /// They ask what they stand before, and write its answers down.
  [[nodiscard]] const Host& listen_to(const Host& host);
  [[nodiscard]] KernelControl& listen_to(KernelControl& control);

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Plays a tape to its end. `take_start` is called before any event, `take_summary` at the end of
/// a run that has one. An error: it is no tape, of another version, or damaged; what came before
/// the damage was told.
[[nodiscard]] Result<void> play_tape(std::string_view bytes, EventSink& sink,
                                     const std::function<void(const Start&)>& take_start,
                                     const std::function<void(const Snapshot&)>& take_summary);

} // namespace acceptwatch
