// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands/event_loop.h"
#include "commands/options.h"
#include "model/event_sink.h"
#include "output/output.h"

#include <vector>

namespace acceptwatch {

/// The outputs of one run, which all are told the same.
class Outputs final : public EventSink {
public:
  /// What the options ask for: standard output, or a file and text on the terminal beside it.
  [[nodiscard]] static Result<std::unique_ptr<Outputs>> open(const Options& options);

  void take(const Start& start);
  void take(const Event& event) override;
  void take(const Lost& lost) override;
  void sampled(const Sample& sample) override;
  void audited(const Audit& audit) override;
  void take(const Snapshot& summary);

  /// Each is an entry of the loop: one whose reader was slow goes on when it reads again. A pipe
  /// that nobody reads any more ends the loop.
  [[nodiscard]] Result<void> wait_in(EventLoop& loop);
  /// Writes what is taken at once; call it when something was told, and now and then.
  void flush();
  /// The same at the end, for so long at most. A reader that is too slow is said; an error is that
  /// something cannot be written.
  [[nodiscard]] Result<void> flush_for(double seconds);
  /// Everything, however long the readers take. The error is that something cannot be written.
  [[nodiscard]] Result<void> write_all();
  /// Bytes that wait, of the output of which most do.
  [[nodiscard]] size_t pending() const;
  /// Those that are files.
  [[nodiscard]] std::vector<const Outlet*> files() const;
  /// SIGHUP. What cannot be opened anew goes on as it was, and is said.
  void reopen(Timestamp now);

private:
  void note_error(size_t index);

  EventLoop* loop_ = nullptr;
  std::vector<std::unique_ptr<Output>> outputs_;
  std::vector<int> errors_; ///< that were said, by output; 0: none
};

} // namespace acceptwatch
