// SPDX-License-Identifier: Apache-2.0
#include "output/findings.h"

#include "output/cells.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <ranges>

namespace acceptwatch {
namespace {

std::string place_text(const Event& event) {
  const std::string who = event.owner      ? owner_text(event.owner, event.owners)
                          : event.former   ? "formerly " + owner_text(event.former->owner, 1)
                          : event.listener ? "owner not known"
                                           : "no listener known";
  return event.server_port ? fmt::format("port {} ({})", *event.server_port, who) : who;
}

/// One character for a share of the greatest: eighths of a block.
std::string_view bar(uint64_t value, uint64_t greatest) {
  constexpr std::array<std::string_view, 9> blocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (!value)
    return blocks[0];
  return blocks[1 + value * 7 / greatest];
}

/// From the first bucket in use to the last.
std::string sparkline(const std::vector<uint64_t>& histogram) {
  const auto used = [](uint64_t value) { return value != 0; };
  const auto first = std::ranges::find_if(histogram, used);
  const auto last = std::find_if(histogram.rbegin(), histogram.rend(), used).base();
  if (first >= last)
    return {};
  const uint64_t greatest = *std::max_element(first, last);
  std::string line;
  for (auto bucket = first; bucket != last; ++bucket)
    line += bar(*bucket, greatest);
  return line;
}

/// Where accept() is not seen: what a head of the queue was seen to wait, and what follows.
std::string derived_waits_text(const ListenerReport& report) {
  std::string text = report.flow && report.flow->mean_wait_seconds
                         ? fmt::format("~{} mean", duration_text(*report.flow->mean_wait_seconds))
                         : "";
  if (report.oldest_seconds)
    text += fmt::format("{}>= {}", text.empty() ? "" : ", ", duration_text(*report.oldest_seconds));
  return text.empty() ? "-" : text;
}

double a_second(uint64_t count, const Flow& flow) {
  return static_cast<double>(count) / flow.seconds;
}

/// Below the row. Of nothing there is no rate.
std::string flow_text(const std::optional<Flow>& flow) {
  if (!flow || !(flow->seconds > 0) || !(flow->entered + flow->full + flow->accepted))
    return {};
  auto text = fmt::format("arrivals {:.1f}/s, accepted {:.1f}/s in {}",
                          a_second(flow->entered + flow->full, *flow),
                          a_second(flow->accepted, *flow), duration_text(flow->seconds));
  if (flow->looks)
    text += fmt::format(", derived from {} looks", flow->looks);
  if (flow->listeners > 1)
    text += fmt::format("; {} listeners", flow->listeners);
  return fmt::format("{:<6}{}\n", "", text);
}

void write_flow(JsonWriter& json, const std::optional<Flow>& flow) {
  if (!flow || !(flow->seconds > 0))
    return;
  json.begin_object("rates");
  json.member("seconds", flow->seconds);
  json.member("arrivals", a_second(flow->entered + flow->full, *flow));
  json.member("accepts", a_second(flow->accepted, *flow));
  if (flow->looks) {
    json.member("looks", flow->looks);
    json.member("listeners", uint64_t{flow->listeners});
  }
  json.end_object();
  json.member("mean_wait_seconds", flow->mean_wait_seconds);
}

std::string waits_text(const ListenerReport& report) {
  if (!report.waits)
    return derived_waits_text(report);
  return fmt::format("{}/{}/{}", duration_text(report.waits->p50), duration_text(report.waits->p99),
                     duration_text(report.waits->max));
}

/// "5+": five were seen, and others may have passed unseen; "?": the same, and none was seen.
std::string lost_text(const ListenerReport& report) {
  if (report.lost_is_all)
    return fmt::format("{}", report.lost);
  return report.lost ? fmt::format("{}+", report.lost) : "?";
}

} // namespace

std::string_view name_of(Confidence confidence) {
  switch (confidence) {
  case Confidence::possible:
    return "possible";
  case Confidence::likely:
    return "likely";
  default:
    return "certain";
  }
}

std::string_view name_of(FindingState state) {
  switch (state) {
  case FindingState::begun:
    return "begun";
  case FindingState::goes_on:
    return "goes_on";
  default:
    return "ended";
  }
}

void write_percentiles(JsonWriter& json, std::string_view key,
                       const std::optional<Percentiles>& percentiles) {
  if (!percentiles)
    return;
  json.begin_object(key);
  json.member("p50_seconds", percentiles->p50);
  json.member("p90_seconds", percentiles->p90);
  json.member("p99_seconds", percentiles->p99);
  json.member("max_seconds", percentiles->max);
  json.end_object();
}

void write_finding(JsonWriter& json, const Verdict& verdict) {
  json.begin_object("finding");
  json.member("state", name_of(verdict.state));
  json.member("seconds", verdict.seconds);
  json.member("confidence", name_of(verdict.finding.confidence));
  json.member("what", verdict.finding.what);
  json.begin_object("evidence");
  for (const auto& [name, value] : verdict.finding.evidence)
    json.member(name, value);
  json.end_object();
  json.member("advice", verdict.finding.advice);
  json.end_object();
}

void write_found(JsonWriter& json, const Event& event) {
  json.begin_object();
  json.member("name", event.verdict->finding.name);
  json.member("port", event.server_port);
  json.member("netns", event.netns);
  if (event.owner) {
    json.member("pid", event.owner->pid);
    json.member("process", event.owner->name);
  }
  write_finding(json, *event.verdict);
  json.end_object();
}

void write_flows_and_waits(JsonWriter& json, const ListenerReport& report) {
  if (report.lost_is_all)
    json.member("lost", report.lost);
  else if (report.lost)
    json.member("lost_at_least", report.lost);
  json.member("accepted", report.accepted);
  json.member("oldest_seconds", report.oldest_seconds);
  if ((report.oldest_seconds || report.flow) && report.derived)
    json.member("derived", true);
  write_flow(json, report.flow);
  write_percentiles(json, "waits", report.waits);
  write_percentiles(json, "handshake", report.handshake);
}

void write_listener_report(JsonWriter& json, const ListenerReport& report) {
  json.begin_object();
  json.member("address", to_string(report.address));
  json.member("port", report.port);
  if (report.netns)
    json.member("netns", report.netns);
  if (report.owner) {
    json.member("pid", report.owner->pid);
    json.member("process", report.owner->name);
  }
  if (report.accept_queue) {
    json.begin_object("accept_queue");
    json.member("depth", report.accept_queue->depth);
    json.member("limit", report.accept_queue->limit);
    json.member("peak", report.accept_peak);
    json.end_object();
  }
  write_flows_and_waits(json, report);
  json.end_object();
}

std::string findings_text(const std::vector<Event>& findings) {
  std::string out;
  for (const Event& event : findings) {
    const auto& [finding, state, seconds] = *event.verdict;
    fmt::format_to(std::back_inserter(out), "{} on {}, {}{}\n", finding.name, place_text(event),
                   name_of(finding.confidence),
                   state != FindingState::ended ? ""
                   : seconds > 0 ? fmt::format(", over after {}", duration_text(seconds))
                                 : ", over");
    out += wrapped(finding.what, "  ");
    out += wrapped("-> " + finding.advice, "  ");
  }
  return out;
}

std::string listeners_text(const std::vector<ListenerReport>& listeners) {
  if (listeners.empty())
    return {};
  auto out = fmt::format("{:<5} {:<16} {:>9} {:>7} {:>8}  {}\n", "PORT", "PROCESS", "PEAK/LIM",
                         "LOST", "ACCEPTED", "WAIT p50/p99/max");
  for (const auto& report : listeners | std::views::take(max_listeners_shown)) {
    const std::string peak =
        report.accept_queue ? fmt::format("{}/{}", report.accept_peak, report.accept_peak_limit)
                            : fmt::format("{}/?", report.accept_peak);
    auto line = fmt::format("{:<5} {:<16} {:>9} {:>7} {:>8}  {:<21} {}", report.port,
                            owner_text(report.owner, 1, 16), peak, lost_text(report),
                            report.accepted ? fmt::format("{}", *report.accepted) : "-",
                            waits_text(report), sparkline(report.histogram));
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n" + flow_text(report.flow);
  }
  return out;
}

} // namespace acceptwatch
