// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands/options.h"
#include "commands/tape_file.h"
#include "model/tape.h"
#include "probes/record_source.h"

#include <memory>
#include <optional>

namespace acceptwatch {

/// A Monitor, and beside it the tape of all that it is given, where one is wanted.
class Recorder {
public:
  /// `tape`: where it goes; none: there is none.
  Recorder(TapeHead head, std::optional<TapeFile> tape, bool leaves_out_names, const Probes& probes,
           EventSink& sink);

  [[nodiscard]] const Monitor& monitor() const { return *monitor_; }

  [[nodiscard]] Result<void> begin(const std::function<Result<Instant>()>& activate);
  void apply(const Record& record, uint64_t count, const Instant& now);
  void tick(const Instant& now);
  void audit(const Instant& now);
  void stop(const std::function<void()>& deactivate, const Instant& now);
  /// Closes the tape, too: the error is that it is not complete.
  [[nodiscard]] Result<void> finish(const Instant& now);

private:
  std::optional<TapeFile> file_;
  std::unique_ptr<TapeWriter> tape_; ///< null: there is none
  std::unique_ptr<Monitor> monitor_;
};

} // namespace acceptwatch
