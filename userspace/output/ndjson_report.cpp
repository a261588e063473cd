// SPDX-License-Identifier: Apache-2.0
// What adds up: samples, audits, and at the end totals, listeners and the summary.
#include "output/ndjson.h"

#include "events/names.h"
#include "events/time.h"
#include "output/causes.h"
#include "output/findings.h"
#include "output/json_parts.h"

#include <algorithm>
#include <set>

namespace acceptwatch {
namespace {

/// So many records of a kind at most: a report of a host with thousands of listeners has to be
/// written within a second or two.
constexpr size_t max_totals = 512;
constexpr size_t max_listeners = 256;
constexpr size_t max_namespaces = 256;
/// Of an audit, so that the line is not too long.
constexpr size_t max_counters_bytes = 3000;

void write_place(JsonWriter& json, const std::optional<Address>& address,
                 std::optional<uint16_t> port, const std::optional<Owner>& owner) {
  write_end(json, "server", address, port);
  write_network(json, address ? address->family : uint16_t{0});
  write_owner(json, owner);
  write_container(json, owner);
}

/// No loss among what can be seen says nothing where others may have passed unseen.
void write_lost(JsonWriter& json, const Sample& sample) {
  const auto& lost = sample.lost;
  if (lost.empty() && !sample.lost_is_all)
    return;
  json.begin_object(sample.lost_is_all ? "lost" : "lost_at_least");
  for (auto loss = lost.begin(); loss != lost.end();) {
    const aw_action action = loss->action;
    json.begin_object(name_of(action));
    for (; loss != lost.end() && loss->action == action; ++loss)
      json.member(name_of(loss->reason), loss->count);
    json.end_object();
  }
  json.end_object();
}

/// The first of the rest that find room in a line.
size_t fitting_counters(std::span<const AuditedCounter> counters) {
  constexpr size_t bytes_beside_texts = 80;
  size_t bytes = 0;
  for (size_t i = 0; i < counters.size(); ++i) {
    bytes += counters[i].name.size() + counters[i].why.size() + bytes_beside_texts;
    if (bytes > max_counters_bytes && i)
      return i;
  }
  return counters.size();
}

/// Each name once.
std::set<std::string_view> names_of(const std::vector<Event>& findings) {
  std::set<std::string_view> names;
  for (const Event& event : findings)
    names.insert(event.verdict->finding.name);
  return names;
}

} // namespace

void NdjsonFormatter::format(const Sample& sample, std::string& out) {
  JsonWriter json{out};
  write_head(json, sample.time, "sample");
  write_place(json, sample.address, sample.port, sample.owner);
  json.begin_object("acceptwatch");
  if (sample.owners)
    json.member("owners", uint64_t{sample.owners});
  write_queue(json, "accept_queue", sample.accept_queue, sample.oldest_seconds, sample.accept_peak);
  write_queue(json, "syn_queue", sample.syn_queue, {}, sample.syn_peak);
  if (sample.netns)
    json.member("netns", sample.netns);
  if (sample.socket)
    write_as_text(json, "socket", *sample.socket);
  json.member("source", name_of(sample.source));
  json.begin_object("sample");
  json.member("seconds", sample.seconds);
  json.member("arrivals", sample.arrivals);
  json.member("accepts", sample.accepts);
  write_lost(json, sample);
  write_percentiles(json, "waits", sample.waits);
  json.end_object();
  end_record(json, out);
}

void NdjsonFormatter::write_total(const Total& total, Timestamp time, std::string& out) {
  JsonWriter json{out};
  write_head(json, time, "total");
  write_place(json, total.server_address, total.server_port, total.owner);
  json.begin_object("acceptwatch");
  json.member("netns", total.netns);
  json.begin_object("total");
  json.member("action", name_of(total.action));
  json.known("reason", name_of(total.reason));
  json.known("stage", name_of(total.stage));
  json.member("count", total.count);
  if (total.other)
    json.member("other", true);
  json.end_object();
  end_record(json, out);
}

void NdjsonFormatter::write_listener(const ListenerReport& report, Timestamp time,
                                     std::string& out) {
  JsonWriter json{out};
  write_head(json, time, "listener");
  write_place(json, report.address, report.port, report.owner);
  json.begin_object("acceptwatch");
  write_queue(json, "accept_queue", report.accept_queue, {}, report.accept_peak);
  if (report.netns)
    json.member("netns", report.netns);
  json.begin_object("listener");
  write_flows_and_waits(json, report);
  json.end_object();
  end_record(json, out);
}

void NdjsonFormatter::write_counters(const AuditedNamespace& audited,
                                     std::span<const AuditedCounter> counters, Timestamp time,
                                     std::string& out) {
  JsonWriter json{out};
  write_head(json, time, "audit");
  json.begin_object("acceptwatch");
  json.member("netns", audited.netns);
  json.begin_object("audit");
  if (audited.gone)
    json.member("gone", true);
  json.begin_object("counters");
  for (const auto& counter : counters) {
    json.begin_object(counter.name);
    json.member("kernel", counter.kernel);
    json.member("explained", counter.explained);
    json.known("difference", counter.why);
    json.end_object();
  }
  json.end_object();
  json.end_object();
  end_record(json, out);
}

void NdjsonFormatter::write_namespace(const AuditedNamespace& audited, Timestamp time,
                                      std::string& out) {
  for (std::span<const AuditedCounter> rest{audited.counters}; !rest.empty();) {
    const size_t count = fitting_counters(rest);
    write_counters(audited, rest.first(count), time, out);
    rest = rest.subspan(count);
  }
}

/// What is said of no namespace, or of none that could be named.
void NdjsonFormatter::write_rest_of_audit(const Audit& audit, size_t left_out, Timestamp time,
                                          std::string& out) {
  JsonWriter json{out};
  write_head(json, time, "audit");
  json.begin_object("acceptwatch");
  json.begin_object("audit");
  if (!audit.incomparable.empty()) {
    json.begin_array("incomparable");
    for (const auto& filter : audit.incomparable)
      json.string(fitting(filter, max_counters_bytes / audit.incomparable.size()));
    json.end_array();
  } else {
    json.member("namespaces", uint64_t{audit.namespaces.size()});
    json.member("left_out", uint64_t{left_out});
    json.member("compared", uint64_t{audit.compared});
    json.member("uncompared", uint64_t{audit.uncompared});
    json.member("unread", uint64_t{audit.unread});
  }
  json.end_object();
  end_record(json, out);
}

void NdjsonFormatter::write_audit(const Audit& audit, Timestamp time, std::string& out) {
  const bool comparable = audit.incomparable.empty();
  const size_t shown = comparable ? std::min(audit.namespaces.size(), max_namespaces) : 0;
  for (size_t i = 0; i < shown; ++i)
    write_namespace(audit.namespaces[i], time, out);
  write_rest_of_audit(audit, audit.namespaces.size() - shown, time, out);
}

void NdjsonFormatter::format(const Audit& audit, std::string& out) {
  write_audit(audit, audit.time, out);
}

void NdjsonFormatter::write_summary(const Snapshot& summary, std::string& out) {
  JsonWriter json{out};
  write_head(json, summary.time, "summary");
  json.begin_object("acceptwatch");
  json.begin_object("summary");
  json.member("seconds", summary.seconds);
  json.member("records", summary.records);
  json.member("records_lost", summary.lost);
  json.member("totals", uint64_t{summary.totals.size()});
  if (summary.totals.size() > max_totals) {
    uint64_t rest = 0;
    for (size_t i = max_totals; i < summary.totals.size(); ++i)
      rest += summary.totals[i].count;
    json.member("other", rest);
  }
  json.member("listeners", uint64_t{summary.listeners.size()});
  json.begin_array("findings");
  for (const auto name : names_of(summary.findings))
    json.string(name);
  json.end_array();
  json.member("outcome", name_of(summary.outcome));
  json.begin_array("not_seen");
  for (const CauseJudgement& one : summary.causes) {
    if (one.state == CauseState::unseen)
      json.string(one.cause);
  }
  json.end_array();
  json.end_object();
  end_record(json, out);
}

void NdjsonFormatter::format(const Snapshot& summary, std::string& out) {
  for (size_t i = 0; i < std::min(summary.totals.size(), max_totals); ++i)
    write_total(summary.totals[i], summary.time, out);
  for (size_t i = 0; i < std::min(summary.listeners.size(), max_listeners); ++i)
    write_listener(summary.listeners[i], summary.time, out);
  if (summary.audit)
    write_audit(*summary.audit, summary.time, out);
  write_summary(summary, out);
}

} // namespace acceptwatch
