// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/formatter.h"

namespace acceptwatch {

struct TextStyle {
  bool wide = false;   ///< all columns instead of 80 characters
  bool colour = false; ///< escape sequences for a terminal
};

/// Aligned columns for a person; times are local.
///
///     TIME         PORT  PROCESS        ACCEPTQ    SYNQ WHAT
///     13:17:03.120 9799  java/4711        11/10    3/10 ACK dropped: accept queue full
class TextFormatter final : public Formatter {
public:
  explicit TextFormatter(TextStyle style) : style_(style) {}
  void format(const Start& start, std::string& out) override;
  void format(const Event& event, std::string& out) override;
  void format(const Lost& lost, std::string& out) override;
  void format(const Sample& sample, std::string& out) override;
  void format(const Audit& audit, std::string& out) override;
  void format(const Snapshot& summary, std::string& out) override;

private:
  void header(std::string& out) const;
  /// All columns but the last.
  void append_columns(std::string& out, const Event& event) const;
  void coloured(std::string& out, std::string_view colour, std::string_view text) const;

  TextStyle style_;
};

} // namespace acceptwatch
