// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/formatter.h"

namespace acceptwatch {

/// `acceptwatch explain PORT`: no records, and at the end what they mean.
class ExplainFormatter final : public Formatter {
public:
  ExplainFormatter(uint16_t port, bool json) : port_(port), json_(json) {}

  using Formatter::format;
  void format(const Start& start, std::string& out) override;
  void format(const Event& event, std::string& out) override;
  void format(const Lost& lost, std::string& out) override;
  void format(const Snapshot& summary, std::string& out) override;

private:
  void format_text(const Snapshot& summary, std::string& out) const;
  void format_json(const Snapshot& summary, std::string& out) const;

  uint16_t port_;
  std::string host_;
  std::string version_;
  bool json_;
  std::optional<Timestamp> first_loss_;
};

} // namespace acceptwatch
