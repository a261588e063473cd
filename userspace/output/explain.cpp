// SPDX-License-Identifier: Apache-2.0
#include "output/explain.h"

#include "diagnose/servers.h"
#include "events/names.h"
#include "events/time.h"
#include "output/audit.h"
#include "output/causes.h"
#include "output/cells.h"
#include "output/findings.h"
#include "output/json_parts.h"
#include "output/local_time.h"

#include <fmt/format.h>
#include <iterator>
#include <ranges>

namespace acceptwatch {
namespace {

/// What fits no handshake is mostly a late packet of a connection that is over.
bool is_loss(const Event& event) {
  return event.action == AW_LISTEN_DROP || event.action == AW_HANDSHAKE_EXPIRED ||
         (event.action == AW_CLOSED_AFTER_ACCEPT && event.reason != AW_TURNED_AWAY) ||
         (event.action == AW_RESET_SENT && event.reason != AW_HANDSHAKE_INVALID);
}

void write_seen(JsonWriter& json, const Total& total) {
  json.begin_object();
  json.member("action", name_of(total.action));
  json.known("reason", name_of(total.reason));
  json.known("stage", name_of(total.stage));
  json.member("count", total.count);
  json.end_object();
}

/// The first line says which of the three it is.
std::string headline(const Snapshot& summary) {
  const auto failed = what_failed(summary);
  const std::string came = summary.arrived
                               ? fmt::format("{} handshake{} came through", *summary.arrived,
                                             *summary.arrived == 1 ? "" : "s")
                               : std::string{};
  switch (summary.outcome) {
  case Outcome::well:
    return fmt::format("nothing is wrong{}{}", came.empty() ? "" : ": ", came);
  case Outcome::found:
    return failed.empty() ? "something is wrong" : failed;
  default:
    return fmt::format("nothing was found, but not everything could be seen{}{}",
                       failed.empty() ? "" : ": ", failed);
  }
}

/// Where to look when connections come through, and clients complain all the same. Empty: there is
/// enough to say.
std::string beyond_accept(const Snapshot& summary, unsigned port) {
  if (!summary.findings.empty() || !summary.arrived.value_or(0))
    return {};
  std::string text =
      summary.after_accept
          ? fmt::format("what becomes of connections later than a second after accept(). Where "
                        "clients are reset then: acceptwatch --all-resets -P {} shows by whom",
                        port)
          : fmt::format("what becomes of connections after accept(). Where clients are connected, "
                        "and then closed or reset: acceptwatch explain {} --after-accept shows "
                        "those that are not served, and who closes them; acceptwatch --all-resets "
                        "-P {} all resets",
                        port, port);
  if (!summary.owner)
    return text + "; see the log of the server, and its limit of connections";
  const auto limit = connection_limit(summary.owner->name);
  return text + fmt::format("; see the log of {}, and {}", owner_text(summary.owner, 1),
                            limit.value_or("its limit of connections"));
}

} // namespace

void ExplainFormatter::format(const Start& start, std::string& out) {
  host_ = start.host;
  version_ = start.version;
  static_cast<void>(out);
}

void ExplainFormatter::format(const Event& event, std::string& out) {
  static_cast<void>(out);
  if (is_loss(event) && !first_loss_)
    first_loss_ = event.time;
}

void ExplainFormatter::format(const Lost& lost, std::string& out) {
  static_cast<void>(lost); // the totals, which the verdicts do not need, count them
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
  out += wrapped(fmt::format("Port {}, {:.1f} s watched: {}{}.", port_, summary.seconds,
                             headline(summary),
                             first_loss_ ? ", the first at " + local_time_of_day(*first_loss_)
                                         : std::string{}),
                 "");
  if (!summary.findings.empty())
    fmt::format_to(end, "\n{}", findings_text(summary.findings));
  else if (first_loss_)
    fmt::format_to(end, "\nNo rule explains it. See the records: acceptwatch -P {}\n", port_);
  if (!summary.seen.empty())
    out += "\nSeen\n";
  for (const auto& total : summary.seen)
    fmt::format_to(end, "{:>8}  {}\n", total.count,
                   phrase_of(total.action, total.reason, total.stage));
  out += evidence_text(summary.evidence);
  out += causes_text(summary.causes);
  if (const auto beyond = beyond_accept(summary, port_); !beyond.empty())
    out += "\nNot watched\n" + wrapped(beyond, "  ");
  if (const auto listeners = listeners_text(summary.listeners); !listeners.empty())
    fmt::format_to(end, "\n{}", listeners);
  if (summary.audit && !summary.audit->sums.empty())
    out += audit_text(*summary.audit);
}

void ExplainFormatter::format_json(const Snapshot& summary, std::string& out) const {
  JsonWriter json{out};
  json.begin_object();
  write_time_and_host(json, summary.time, host_);
  json.member("version", version_);
  json.member("schema", "1");
  json.member("port", port_);
  json.member("seconds", summary.seconds);
  json.member("outcome", name_of(summary.outcome));
  if (first_loss_)
    json.member("first_loss", rfc3339(*first_loss_));
  json.member("arrived", summary.arrived);
  json.begin_array("seen");
  for (const Total& total : summary.seen)
    write_seen(json, total);
  json.end_array();
  json.begin_array("findings");
  for (const Event& event : summary.findings)
    write_found(json, event);
  json.end_array();
  write_causes(json, summary);
  if (const auto beyond = beyond_accept(summary, port_); !beyond.empty())
    json.member("not_watched", std::string_view{beyond});
  json.begin_array("listeners");
  for (const auto& report : summary.listeners | std::views::take(max_listeners_shown))
    write_listener_report(json, report);
  json.end_array();
  json.end_object();
  out.push_back('\n');
}

} // namespace acceptwatch
