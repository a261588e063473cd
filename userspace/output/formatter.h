// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <string>

namespace acceptwatch {

/// Turns records into bytes. Knows nothing of how they were collected or where
/// they go: the caller takes the bytes from `out`, where they are appended. A format overrides what
/// it says something of; what was lost, and the end, none may pass over unthought of.
class Formatter {
public:
  Formatter() = default;
  virtual ~Formatter() = default;
  Formatter(const Formatter&) = delete;
  Formatter& operator=(const Formatter&) = delete;

  virtual void format(const Start& /*start*/, std::string& /*out*/) {}
  virtual void format(const Event& /*event*/, std::string& /*out*/) {}
  virtual void format(const Lost& lost, std::string& out) = 0;
  virtual void format(const Sample& /*sample*/, std::string& /*out*/) {}
  /// While the run goes on: the last is in the summary.
  virtual void format(const Audit& /*audit*/, std::string& /*out*/) {}
  virtual void format(const Snapshot& summary, std::string& out) = 0;
};

} // namespace acceptwatch
