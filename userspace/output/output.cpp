// SPDX-License-Identifier: Apache-2.0
#include "output/output.h"

namespace acceptwatch {

void Output::put(uint64_t occurrences, Timestamp time) {
  last_ = time;
  if (lost_ != told_lost_)
    tell_lost(time);
  if (!outlet_.put(text_))
    lost_ += occurrences;
  text_.clear();
}

std::string Output::lost_line(Timestamp time) {
  std::string line;
  formatter_->format(Lost{time, "output", lost_ - told_lost_}, line);
  return line;
}

/// In front of what is to be put: there has to be room for both.
void Output::tell_lost(Timestamp time) {
  if (outlet_.put(lost_line(time)))
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

/// Those that it tells of are told by no other record.
void Output::take(const Lost& lost) {
  formatter_->format(lost, text_);
  put(lost.count, lost.time);
}

void Output::take(const Snapshot& summary) {
  formatter_->format(summary, text_);
  if (lost_ != told_lost_)
    outlet_.put_last(lost_line(summary.time));
  told_lost_ = lost_;
  outlet_.put_last(text_);
  text_.clear();
}

bool Output::flush() {
  if (!outlet_.flush())
    return false;
  if (lost_ == told_lost_)
    return true;
  tell_lost(last_); // there is room again, though nothing may happen any more
  return outlet_.flush();
}

} // namespace acceptwatch
