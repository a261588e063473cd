// SPDX-License-Identifier: Apache-2.0
#include "output/ndjson.h"

#include "events/names.h"
#include "events/time.h"
#include "output/findings.h"
#include "output/json_parts.h"
#include "output/owner_state_json.h"

#include <fmt/format.h>

namespace acceptwatch {
namespace {

/// ECS: one category, "connection" and what became of it.
void write_event_object(JsonWriter& json, const Event& event) {
  json.begin_object("event");
  json.member("kind", "event");
  json.begin_array("category");
  json.string("network");
  json.end_array();
  json.begin_array("type");
  json.string("connection");
  json.string(ecs_type_of(event.action, event.reason));
  json.end_array();
  json.member("action", name_of(event.action));
  json.known("reason", event.verdict ? event.verdict->finding.name : name_of(event.reason));
  json.end_object();
}

void write_queue(JsonWriter& json, std::string_view key, const std::optional<Queue>& queue,
                 std::optional<double> oldest_seconds) {
  if (!queue)
    return;
  json.begin_object(key);
  json.member("depth", queue->depth);
  json.member("limit", queue->limit);
  json.member("oldest_seconds", oldest_seconds);
  json.end_object();
}

void write_as_text(JsonWriter& json, std::string_view key, uint64_t number) {
  const fmt::format_int digits{number};
  json.member(key, std::string_view{digits.data(), digits.size()});
}

void write_former(JsonWriter& json, const std::optional<FormerListener>& former) {
  if (!former)
    return;
  json.begin_object("former_listener");
  json.member("pid", former->owner.pid);
  json.known("name", former->owner.name);
  json.member("closed_seconds_ago", former->closed_seconds_ago);
  json.end_object();
}

void write_pressure(JsonWriter& json, const std::optional<QueuePressure>& pressure) {
  if (!pressure)
    return;
  json.begin_object("pressure");
  json.member("state", pressure->ended ? "ended" : "begun");
  if (pressure->ended) {
    json.member("seconds", pressure->seconds);
    json.member("accept_peak", pressure->accept);
    json.member("syn_peak", pressure->syn);
  }
  json.end_object();
}

void write_netfilter(JsonWriter& json, const Event& event) {
  if (event.netfilter_hook == AW_HOOK_UNKNOWN && !event.chain)
    return;
  json.begin_object("netfilter");
  json.known("hook", name_of(event.netfilter_hook));
  if (event.chain) {
    json.known("table", event.chain->table);
    json.known("chain", event.chain->name);
  }
  json.end_object();
}

void write_details(JsonWriter& json, const Event& event) {
  json.begin_object("acceptwatch");
  json.known("stage", name_of(event.stage));
  json.member("count", event.count);
  if (event.owners)
    json.member("owners", uint64_t{event.owners});
  write_queue(json, "accept_queue", event.accept_queue, event.oldest_seconds);
  write_queue(json, "syn_queue", event.syn_queue, std::nullopt);
  json.member("netns", event.netns);
  if (event.owner && event.owner->cgroup)
    write_cgroup(json, *event.owner->cgroup);
  if (event.socket) // a 64-bit number: consumers that read doubles would round it
    write_as_text(json, "socket", *event.socket);
  json.member("retry", event.retry);
  if (event.owner && event.owner->container)
    json.member("container", *event.owner->container);
  json.member("kernel_reason", event.kernel_reason);
  write_netfilter(json, event);
  json.member("source", name_of(event.source));
  write_former(json, event.former);
  if (event.shortage)
    write_open_files(json, event.shortage->of_host ? "host_files" : "descriptors",
                     event.shortage->files);
  json.member("backlog", event.backlog);
  write_pressure(json, event.pressure);
  if (event.verdict)
    write_finding(json, *event.verdict);
  write_owner_state(json, event.owner_state);
  json.end_object();
}

void begin_control(JsonWriter& json, Timestamp time, std::string_view action) {
  json.begin_object();
  json.member("@timestamp", rfc3339(time));
  json.begin_object("event");
  json.member("kind", "metric");
  json.member("action", action);
  json.end_object();
  json.begin_object("acceptwatch");
}

void end_control(JsonWriter& json, std::string& out) {
  json.end_object();
  json.end_object();
  out.push_back('\n');
}

void write_strings(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.begin_array(key);
  for (const auto& text : list)
    json.string(text);
  json.end_array();
}

void write_total(JsonWriter& json, const Total& total) {
  json.begin_object();
  json.member("action", name_of(total.action));
  json.known("reason", name_of(total.reason));
  json.known("stage", name_of(total.stage));
  json.member("count", total.count);
  if (total.server_address)
    json.member("address", to_string(*total.server_address));
  json.member("port", total.server_port);
  if (total.owner) {
    json.member("pid", total.owner->pid);
    json.member("name", total.owner->name);
  }
  json.member("netns", total.netns);
  if (total.other)
    json.member("other", true);
  json.end_object();
}

/// A line holds at most 16 KiB (the contract). A total takes less than 500 bytes,
/// whatever its process is called.
constexpr size_t max_totals = 64;
constexpr size_t max_totals_bytes = 15000;

/// A namespace takes less than 4000 bytes, and 300 as a rule. Totals have the rest
/// of the line.
constexpr size_t max_namespaces = 64;
constexpr size_t max_namespaces_bytes = 6000;

void write_counters(JsonWriter& json, std::string_view key,
                    const std::vector<AuditedCounter>& counters) {
  json.begin_object(key);
  for (const auto& counter : counters) {
    json.begin_object(counter.name);
    json.member("kernel", counter.kernel);
    json.member("explained", counter.explained);
    json.known("difference", counter.why);
    json.end_object();
  }
  json.end_object();
}

void write_namespace(JsonWriter& json, const AuditedNamespace& audited) {
  json.begin_object();
  json.member("netns", audited.netns);
  if (audited.gone)
    json.member("gone", true);
  write_counters(json, "counters", audited.counters);
  json.end_object();
}

void write_audit(JsonWriter& json, const Audit& audit) {
  if (!audit.incomparable.empty()) {
    write_strings(json, "audit_incomparable", audit.incomparable);
    return;
  }
  write_counters(json, "audit", audit.sums);
  const size_t begin = json.length();
  const size_t most = std::min(audit.namespaces.size(), max_namespaces);
  size_t shown = 0;
  json.begin_array("audit_namespaces");
  while (shown < most && json.length() - begin < max_namespaces_bytes)
    write_namespace(json, audit.namespaces[shown++]);
  json.end_array();
  if (shown < audit.namespaces.size())
    json.member("audit_left_out", uint64_t{audit.namespaces.size() - shown});
  if (audit.unread)
    json.member("audit_unread", uint64_t{audit.unread});
}

/// What the report at the end has of these, at most: 700 bytes each.
constexpr size_t max_reported = 4;

void write_report(JsonWriter& json, const Snapshot& summary) {
  json.begin_array("findings");
  for (size_t i = 0; i < std::min(summary.findings.size(), max_reported); ++i)
    write_found(json, summary.findings[i]);
  json.end_array();
  json.begin_array("listeners");
  for (size_t i = 0; i < std::min(summary.listeners.size(), max_reported); ++i)
    write_listener_report(json, summary.listeners[i]);
  json.end_array();
}

size_t length_of(const Snapshot& summary) {
  std::string text;
  JsonWriter json{text};
  json.begin_object();
  write_report(json, summary);
  if (summary.audit)
    write_audit(json, *summary.audit);
  json.end_object();
  return text.size();
}

} // namespace

void NdjsonFormatter::format(const Event& event, std::string& out) {
  JsonWriter json{out};
  json.begin_object();
  json.member("@timestamp", rfc3339(event.time));
  write_event_object(json, event);
  write_end(json, "server", event.server_address, event.server_port);
  write_end(json, "client", event.client_address, event.client_port);
  write_network(json, event.family);
  write_owner(json, event.owner);
  write_details(json, event);
  json.end_object();
  out.push_back('\n');
}

void NdjsonFormatter::format(const Start& start, std::string& out) {
  JsonWriter json{out};
  begin_control(json, start.time, "start");
  json.member("schema", "1");
  json.member("version", start.version);
  json.member("kernel", start.kernel);
  json.member("source", name_of(start.source));
  write_strings(json, "probes", start.probes);
  write_strings(json, "filters", start.filters);
  end_control(json, out);
}

void NdjsonFormatter::format(const Lost& lost, std::string& out) {
  JsonWriter json{out};
  begin_control(json, lost.time, "lost");
  json.begin_object("lost");
  json.member("where", lost.where);
  json.member("count", lost.count);
  json.end_object();
  end_control(json, out);
}

void NdjsonFormatter::format(const Snapshot& summary, std::string& out) {
  const size_t begin = out.size();
  JsonWriter json{out};
  begin_control(json, summary.time, "summary");
  json.member("seconds", summary.seconds);
  json.member("records", summary.records);
  json.member("lost", summary.lost);
  json.begin_array("totals");
  const size_t room = max_totals_bytes - std::min(length_of(summary), max_totals_bytes);
  size_t shown = 0;
  while (shown < std::min(summary.totals.size(), max_totals) && json.length() - begin < room)
    write_total(json, summary.totals[shown++]);
  json.end_array();
  if (shown < summary.totals.size()) {
    uint64_t rest = 0;
    for (size_t i = shown; i < summary.totals.size(); ++i)
      rest += summary.totals[i].count;
    json.member("other", rest);
  }
  write_report(json, summary);
  if (summary.audit)
    write_audit(json, *summary.audit);
  end_control(json, out);
}

} // namespace acceptwatch
