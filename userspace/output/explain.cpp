// SPDX-License-Identifier: Apache-2.0
#include "output/explain.h"

#include "events/names.h"
#include "events/time.h"
#include "output/cells.h"
#include "output/findings.h"
#include "output/json_parts.h"
#include "output/local_time.h"

#include <fmt/format.h>
#include <iterator>
#include <ranges>

namespace acceptwatch {
namespace {

bool is_loss(const Event& event) {
  switch (event.action) {
  case AW_LISTEN_DROP:
  case AW_SYNCOOKIE_SENT:
  case AW_SYNACK_RETRANSMIT:
  case AW_RESET_SENT:
  case AW_HANDSHAKE_EXPIRED:
    return true;
  default:
    return false;
  }
}

} // namespace

void ExplainFormatter::format(const Start& start, std::string& out) {
  host_ = start.host;
  version_ = start.version;
  static_cast<void>(out);
}

void ExplainFormatter::format(const Event& event, std::string& out) {
  static_cast<void>(out);
  if (!is_loss(event))
    return;
  if (!first_loss_)
    first_loss_ = event.time;
  losses_ += event.count;
}

void ExplainFormatter::format(const Lost& lost, std::string& out) {
  static_cast<void>(lost); // the totals, which the verdicts do not need, count them
  static_cast<void>(out);
}

void ExplainFormatter::format(const Sample& sample, std::string& out) {
  static_cast<void>(sample);
  static_cast<void>(out);
}

void ExplainFormatter::format(const Audit& audit, std::string& out) {
  static_cast<void>(audit);
  static_cast<void>(out);
}

void ExplainFormatter::format(const Snapshot& summary, std::string& out) {
  if (json_)
    format_json(summary, out);
  else
    format_text(summary, out);
}

void ExplainFormatter::format_text(const Snapshot& summary, std::string& out) const {
  const auto end = std::back_inserter(out);
  fmt::format_to(end, "Port {}, {:.1f} s watched: ", port_, summary.seconds);
  if (first_loss_)
    fmt::format_to(end, "{} packet{} lost or sent again, the first at {}.\n", losses_,
                   losses_ == 1 ? "" : "s", local_time_of_day(*first_loss_));
  else
    out += "nothing was lost.\n";
  if (!summary.findings.empty())
    fmt::format_to(end, "\n{}", findings_text(summary.findings));
  else if (first_loss_)
    fmt::format_to(end, "\nNo rule explains it. See the records: acceptwatch -P {}\n", port_);
  else
    out += "\nNothing seen: no finding.\n";
  for (const auto& total : summary.totals)
    fmt::format_to(end, "{}{:>8}  {}\n", &total == &summary.totals.front() ? "\nSeen\n" : "",
                   total.count, phrase_of(total.action, total.reason, total.stage));
  if (!summary.ruled_out.empty())
    out += "\nRuled out\n";
  for (const auto& sentence : summary.ruled_out)
    out += wrapped(sentence, "  ");
  if (const auto listeners = listeners_text(summary.listeners); !listeners.empty())
    fmt::format_to(end, "\n{}", listeners);
}

void ExplainFormatter::format_json(const Snapshot& summary, std::string& out) const {
  JsonWriter json{out};
  json.begin_object();
  write_time_and_host(json, summary.time, host_);
  json.member("version", version_);
  json.member("schema", "1");
  json.member("port", port_);
  json.member("seconds", summary.seconds);
  json.member("seen", !summary.findings.empty());
  if (first_loss_)
    json.member("first_loss", rfc3339(*first_loss_));
  json.member("losses", losses_);
  json.begin_array("findings");
  for (const Event& event : summary.findings)
    write_found(json, event);
  json.end_array();
  json.begin_array("ruled_out");
  for (const auto& sentence : summary.ruled_out)
    json.string(sentence);
  json.end_array();
  json.begin_array("listeners");
  for (const auto& report : summary.listeners | std::views::take(max_listeners_shown))
    write_listener_report(json, report);
  json.end_array();
  json.end_object();
  out.push_back('\n');
}

} // namespace acceptwatch
