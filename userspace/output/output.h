// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/formatter.h"
#include "output/outlet.h"

#include <memory>
#include <optional>

namespace acceptwatch {

/// One output of a run: a format, and where it goes. What finds no room is counted, and told as
/// lost when there is room again.
class Output {
public:
  Output(std::unique_ptr<Formatter> formatter, Outlet outlet)
      : formatter_(std::move(formatter)), outlet_(std::move(outlet)) {}

  void take(const Start& start);
  void take(const Event& event);
  void take(const Lost& lost);
  void take(const Sample& sample);
  void take(const Audit& audit);
  /// The last: for it there is room.
  void take(const Snapshot& summary);

  /// Opens the file anew, which then begins like the one before.
  [[nodiscard]] Result<void> reopen(Timestamp now);
  bool flush();
  [[nodiscard]] const Outlet& outlet() const { return outlet_; }
  void note_closed_pipe() { outlet_.note_closed_pipe(); }
  /// Occurrences whose records found no room, all in all.
  [[nodiscard]] uint64_t lost() const { return lost_; }

private:
  template <typename Told> void tell(const Told& told, Timestamp time, uint64_t occurrences);
  void tell_lost(Timestamp time);

  std::unique_ptr<Formatter> formatter_;
  Outlet outlet_;
  std::optional<Start> start_;
  std::string text_; ///< of the record that is being formatted
  uint64_t lost_ = 0;
  uint64_t told_lost_ = 0;
};

} // namespace acceptwatch
