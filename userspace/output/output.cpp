// SPDX-License-Identifier: Apache-2.0
#include "output/output.h"

namespace acceptwatch {
namespace {

constexpr size_t flushed_at = 64UL * 1024;

} // namespace

void Output::put(uint64_t occurrences, Timestamp time) {
  if (lost_ != told_lost_)
    tell_lost(time);
  if (!outlet_.put(text_))
    lost_ += occurrences;
  text_.clear();
  // A flood fills the room within one turn of the loop.
  if (outlet_.pending() >= flushed_at)
    outlet_.flush();
}

/// In front of what is to be put: there has to be room for both.
void Output::tell_lost(Timestamp time) {
  std::string line;
  formatter_->format(Lost{time, "output", lost_ - told_lost_}, line);
  if (outlet_.put(line))
    told_lost_ = lost_;
}

void Output::take(const Start& start) {
  formatter_->format(start, text_);
  put(0, start.time);
}

void Output::take(const Event& event) {
  formatter_->format(event, text_);
  put(event.count, event.time);
}

void Output::take(const Lost& lost) {
  formatter_->format(lost, text_);
  put(0, lost.time);
}

void Output::take(const Snapshot& summary) {
  formatter_->format(summary, text_);
  put(0, summary.time);
}

bool Output::flush() { return outlet_.flush(); }

} // namespace acceptwatch
