// SPDX-License-Identifier: Apache-2.0
#include "output/ndjson.h"

#include "events/findings.h"
#include "events/names.h"
#include "events/time.h"
#include "output/blind.h"
#include "output/findings.h"
#include "output/json_parts.h"

#include <algorithm>
#include <array>

namespace acceptwatch {
namespace {

void write_name(JsonWriter& json, std::string_view key, std::string_view name) {
  if (name.empty())
    return;
  json.begin_object(key);
  json.member("name", name);
  json.end_object();
}

void write_id(JsonWriter& json, std::string_view key, std::string_view id) {
  json.begin_object(key);
  json.member("id", id);
  json.end_object();
}

void write_end_of_listener(JsonWriter& json, const std::optional<ListenerEnd>& end) {
  if (!end)
    return;
  json.begin_object("closed_by");
  json.member("pid", end->pid);
  json.known("name", end->name);
  json.member("exit_status", end->exit_status());
  if (const auto signal = end->signal()) {
    json.member("signal", signal_name(*signal));
    json.member("core_dumped", end->dumped_core());
  }
  json.end_object();
}

void write_early_close(JsonWriter& json, const std::optional<EarlyClose>& close) {
  if (!close)
    return;
  json.begin_object("early_close");
  json.member("seconds", close->seconds);
  json.member("since", close->since_accept ? "accept" : "handshake");
  json.member("read_bytes", close->read);
  json.member("unread_bytes", close->unread);
  json.member("sent_bytes", close->sent);
  json.member("number", close->number);
  json.end_object();
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

void write_old_connection(JsonWriter& json, const std::optional<OldConnection>& old) {
  if (!old)
    return;
  json.begin_object("old_connection");
  json.known("state", tcp_state_name(old->state));
  json.member("idle_seconds", old->idle_seconds);
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

void write_details(JsonWriter& json, const Event& event, const StateRoom& room) {
  json.begin_object("acceptwatch");
  json.known("stage", name_of(event.stage));
  json.member("count", event.count);
  if (event.owners)
    json.member("owners", uint64_t{event.owners});
  write_queue(json, "accept_queue", event.accept_queue, event.oldest_seconds);
  write_queue(json, "syn_queue", event.syn_queue, std::nullopt);
  json.member("netns", event.netns);
  if (event.socket)
    write_as_text(json, "socket", *event.socket);
  json.member("retry", event.retry);
  json.member("kernel_reason", event.kernel_reason);
  write_netfilter(json, event);
  write_old_connection(json, event.old_connection);
  json.member("source", name_of(event.source));
  write_end_of_listener(json, event.end);
  write_early_close(json, event.early_close);
  write_former(json, event.former);
  if (event.shortage)
    write_open_files(json, event.shortage->of_host ? "host_files" : "descriptors",
                     event.shortage->files);
  json.member("backlog", event.backlog);
  write_pressure(json, event.pressure);
  if (event.verdict)
    write_finding(json, *event.verdict);
  write_owner_state(json, event.owner_state, room);
  json.end_object();
}

void write_strings(JsonWriter& json, std::string_view key, const std::vector<std::string>& list,
                   size_t most_of_each) {
  json.begin_array(key);
  for (const auto& text : list)
    json.string(fitting(text, most_of_each));
  json.end_array();
}

/// Of filters, which name ports by the hundred: what has room in a line.
constexpr size_t max_filters_bytes = 300;

} // namespace

/// ECS: one category, "connection" and what became of it.
void NdjsonFormatter::write_event_object(JsonWriter& json, const Event& event) const {
  json.begin_object("event");
  json.member("kind", event.verdict ? "alert" : "event");
  json.begin_array("category");
  json.string("network");
  json.end_array();
  json.begin_array("type");
  json.string("connection");
  json.string(ecs_type_of(event.action, event.reason));
  json.end_array();
  json.member("action", name_of(event.action));
  json.known("reason", event.verdict ? event.verdict->finding.name : name_of(event.reason));
  if (const auto* kind = event.verdict ? finding_kind(event.verdict->finding.name) : nullptr)
    json.member("severity", static_cast<unsigned>(kind->severity));
  json.member("sequence", sequence_);
  json.end_object();
}

void NdjsonFormatter::write(const Event& event, const StateRoom& room, std::string& out) const {
  JsonWriter json{out};
  json.begin_object();
  json.member("@timestamp", rfc3339(event.time));
  if (event.verdict)
    json.member("message", event.verdict->finding.what);
  write_event_object(json, event);
  if (event.verdict)
    write_name(json, "rule", event.verdict->finding.name);
  write_name(json, "host", host_);
  write_end(json, "server", event.server_address, event.server_port, event.server_nat);
  write_end(json, "client", event.client_address, event.client_port);
  write_network(json, event.family, event.device);
  write_owner(json, event.owner);
  write_container(json, event.owner);
  write_details(json, event, room);
  json.end_object();
  out.push_back('\n');
}

void NdjsonFormatter::format(const Event& event, std::string& out) {
  // Kernel functions may have names of any length; nearly all fit.
  constexpr std::array rooms{StateRoom{3, true}, StateRoom{1, true}, StateRoom{0, false}};
  const size_t begin = out.size();
  for (const StateRoom& room : rooms) {
    out.resize(begin);
    write(event, room, out);
    if (out.size() - begin <= max_line)
      break;
  }
  ++sequence_;
}

/// What all control records begin with; the object stays open.
void NdjsonFormatter::write_head(JsonWriter& json, Timestamp time, std::string_view action,
                                 std::string_view boot_id) {
  json.begin_object();
  json.member("@timestamp", rfc3339(time));
  json.begin_object("event");
  json.member("kind", "metric");
  json.member("action", action);
  json.member("sequence", sequence_++);
  json.end_object();
  if (host_.empty() && boot_id.empty())
    return;
  json.begin_object("host");
  json.known("name", host_);
  if (!boot_id.empty())
    write_id(json, "boot", boot_id);
  json.end_object();
}

void NdjsonFormatter::format(const Start& start, std::string& out) {
  constexpr std::array<size_t, 6> longest_whys{max_line, 99, 60, 20, 10, 0};
  host_ = start.host;
  const size_t begin = out.size();
  const uint64_t number = sequence_;
  for (const size_t longest_why : longest_whys) {
    out.resize(begin);
    sequence_ = number;
    write(start, longest_why, out);
    if (out.size() - begin <= max_line)
      break;
  }
}

void NdjsonFormatter::write(const Start& start, size_t longest_why, std::string& out) {
  JsonWriter json{out};
  write_head(json, start.time, "start", start.boot_id);
  json.begin_object("acceptwatch");
  json.member("source", name_of(start.source));
  json.member("schema", "1");
  json.member("version", start.version);
  json.member("kernel", start.kernel);
  write_strings(json, "probes", start.probes, max_line);
  write_strings(json, "filters", start.filters,
                max_filters_bytes / std::max<size_t>(start.filters.size(), 1));
  write_blind(json, start.blind, BlindDetail::why, longest_why);
  end_record(json, out);
}

void NdjsonFormatter::format(const Lost& lost, std::string& out) {
  JsonWriter json{out};
  write_head(json, lost.time, "lost");
  json.begin_object("acceptwatch");
  json.begin_object("lost");
  json.member("where", lost.where);
  json.member("count", lost.count);
  json.end_object();
  end_record(json, out);
}

} // namespace acceptwatch
