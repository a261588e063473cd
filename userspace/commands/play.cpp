// SPDX-License-Identifier: Apache-2.0
#include "commands/commands.h"
#include "commands/outputs.h"
#include "commands/tape_file.h"
#include "model/tape.h"

namespace acceptwatch {
namespace {

/// Nothing waits for us: whoever reads is given its time, so that nothing is lost.
class PatientOutputs final : public EventSink {
public:
  explicit PatientOutputs(Outputs& outputs) : outputs_(outputs) {}

  void take(const Start& start) { outputs_.take(start); }
  void take(const Event& event) override {
    outputs_.take(event);
    keep_up();
  }
  void take(const Lost& lost) override {
    outputs_.take(lost);
    keep_up();
  }
  void sampled(const Sample& sample) override {
    outputs_.sampled(sample);
    keep_up();
  }
  void audited(const Audit& audit) override {
    outputs_.audited(audit);
    keep_up();
  }
  void take(const Snapshot& summary) { outputs_.take(summary); }

  /// All that was taken. The error is that it cannot be written.
  [[nodiscard]] Result<void> finish() { return written_ ? outputs_.write_all() : written_; }

private:
  void keep_up() {
    if (written_ && outputs_.pending() > Outlet::max_pending / 2)
      written_ = outputs_.write_all();
  }

  Outputs& outputs_;
  Result<void> written_;
};

} // namespace

Result<void> play(const Options& options) {
  const auto tape = read_tape_file(options.played);
  if (!tape)
    return tl::unexpected{tape.error()};
  auto outputs = Outputs::open(options);
  if (!outputs)
    return tl::unexpected{outputs.error()};
  PatientOutputs out{**outputs};
  auto played = play_tape(
      *tape, out, [&](const Start& start) { out.take(start); },
      [&](const Snapshot& summary) { out.take(summary); });
  const auto written = out.finish();
  return written ? played : written;
}

} // namespace acceptwatch
