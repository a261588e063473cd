// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/formatter.h"

namespace acceptwatch {

/// One JSON object a line, keys in the order of the interface contract; a key is
/// absent where its value is not known.
class NdjsonFormatter final : public Formatter {
public:
  void format(const Start& start, std::string& out) override;
  void format(const Event& event, std::string& out) override;
  void format(const Lost& lost, std::string& out) override;
  void format(const Snapshot& summary, std::string& out) override;
};

} // namespace acceptwatch
