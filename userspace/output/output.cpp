// SPDX-License-Identifier: Apache-2.0
#include "output/output.h"

namespace acceptwatch {
namespace {

constexpr size_t flushed_at = 64UL * 1024;

} // namespace

template <typename Told> void Output::tell(const Told& told, Timestamp time, uint64_t occurrences) {
  if (lost_ != told_lost_)
    tell_lost(time);
  text_.clear();
  formatter_->format(told, text_);
  if (!outlet_.put(text_))
    lost_ += occurrences;
  text_.clear();
  // A flood fills the room within one turn of the loop.
  if (outlet_.pending() >= flushed_at)
    outlet_.flush();
}

/// In front of what is to be told: there has to be room for both.
void Output::tell_lost(Timestamp time) {
  text_.clear();
  formatter_->format(Lost{time, "output", lost_ - told_lost_}, text_);
  if (outlet_.put(text_))
    told_lost_ = lost_;
}

void Output::take(const Start& start) {
  start_ = start;
  tell(start, start.time, 0);
}

void Output::take(const Event& event) { tell(event, event.time, event.count); }
void Output::take(const Lost& lost) { tell(lost, lost.time, 0); }
void Output::take(const Sample& sample) { tell(sample, sample.time, 0); }
void Output::take(const Audit& audit) { tell(audit, audit.time, 0); }

void Output::take(const Snapshot& summary) {
  if (lost_ != told_lost_)
    tell_lost(summary.time);
  text_.clear();
  formatter_->format(summary, text_);
  outlet_.put_last(text_);
}

Result<void> Output::reopen(Timestamp now) {
  if (outlet_.is_standard_output())
    return {};
  text_.clear();
  if (start_) {
    start_->time = now;
    formatter_->format(*start_, text_);
  }
  return outlet_.reopen(text_);
}

bool Output::flush() { return outlet_.flush(); }

} // namespace acceptwatch
