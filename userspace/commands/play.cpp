// SPDX-License-Identifier: Apache-2.0
#include "commands/commands.h"
#include "commands/outputs.h"
#include "commands/tape_file.h"
#include "model/tape.h"

namespace acceptwatch {

Result<void> play(const Options& options) {
  const auto tape = read_tape_file(options.played);
  if (!tape)
    return tl::unexpected{tape.error()};
  auto outputs = Outputs::open(options);
  if (!outputs)
    return tl::unexpected{outputs.error()};
  // Nothing waits for us: whoever reads is given its time.
  constexpr double patience_seconds = 3600;
  Outputs& out = **outputs;
  auto played = play_tape(
      *tape, out, [&](const Start& start) { out.take(start); },
      [&](const Snapshot& summary) { out.take(summary); });
  out.flush_for(patience_seconds);
  return played;
}

} // namespace acceptwatch
