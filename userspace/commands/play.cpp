// SPDX-License-Identifier: Apache-2.0
#include "commands/commands.h"
#include "commands/outputs.h"
#include "commands/tape_file.h"
#include "model/tape.h"

namespace acceptwatch {
namespace {

/// Nothing waits for a tape: whoever reads is given its time.
constexpr double patience_seconds = 3600;

/// Tells the outputs no faster than they take it.
class PatientSink final : public EventSink {
public:
  explicit PatientSink(Outputs& outputs) : outputs_(outputs) {}
  void take(const Event& event) override { told(event); }
  void take(const Lost& lost) override { told(lost); }

private:
  template <typename T> void told(const T& what) {
    outputs_.take(what);
    outputs_.flush_for(patience_seconds);
  }

  Outputs& outputs_;
};

} // namespace

Result<void> play(const Options& options) {
  const auto tape = read_tape_file(options.played);
  if (!tape)
    return tl::unexpected{tape.error()};
  auto outputs = Outputs::open(options);
  if (!outputs)
    return tl::unexpected{outputs.error()};
  Outputs& out = **outputs;
  PatientSink sink{out};
  auto played = play_tape(
      *tape, sink, [&](const Start& start) { out.take(start); },
      [&](const Snapshot& summary) { out.take(summary); });
  out.flush_for(patience_seconds);
  return played;
}

} // namespace acceptwatch
