// SPDX-License-Identifier: Apache-2.0
#include "core/wellformed.h"

#include <ctime>
#include <regex>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

constexpr int64_t second = 1'000'000'000;
// Records come from several CPUs and through counters that are read now and then.
constexpr int64_t tolerated_disorder = 5 * second;
constexpr size_t longest_line = 4095; // with its newline 4 KiB;

using Names = std::set<std::string>;

const std::map<std::string, Names>& reasons_of_actions() {
  static const std::map<std::string, Names> reasons = {
      {"listen_drop",
       {"accept_queue_full",
        "syn_queue_full",
        "syn_backlog_reserved",
        "cookie_invalid",
        "request_failed",
        "firewall",
        "socket_filter",
        "authentication",
        "security_module",
        "no_route",
        "memory",
        "netfilter_queue",
        "traffic_control",
        "xdp",
        "cgroup_program",
        "reverse_path",
        "not_local",
        "route_localnet",
        "neighbour",
        "checksum",
        "cpu_backlog",
        "old_connection",
        "timestamps",
        "window",
        "other"}},
      {"syncookie_sent", {"syn_queue_full", "always"}},
      {"synack_retransmit", {"no_ack", "ack_dropped", "deferred"}},
      {"handshake_expired", {"no_ack", "ack_dropped", "deferred"}},
      {"reset_sent",
       {"no_listener", "abort_on_overflow", "listener_closed", "handshake_invalid", "firewall",
        "other", "established"}},
      {"reset_received", {"handshake", "queued", "established"}},
      {"listener_opened", {}},
      // Without a reason: how it ended is not known.
      {"listener_closed", {"", "closed", "exited", "killed", "shutdown"}},
      {"closed_after_accept", {"unread", "reset", "unserved", "turned_away", "process_failed"}},
      {"finding", {}}, // the schema has their names
      {"queue_pressure", {}},
      {"accept_stalled", {}},
  };
  return reasons;
}

bool is_loss_or_life(const std::string& action) {
  return action != "finding" && action != "queue_pressure" && action != "accept_stalled";
}

int64_t realtime_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * second + now.tv_nsec;
}

// RFC 3339, UTC, nine digits, Z; -1 for anything else.
int64_t parse_timestamp(const std::string& text) {
  static const std::regex form(R"((\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{9})Z)");
  std::smatch part;
  if (!std::regex_match(text, part, form)) {
    return -1;
  }
  tm time{};
  time.tm_year = std::stoi(part[1]) - 1900;
  time.tm_mon = std::stoi(part[2]) - 1;
  time.tm_mday = std::stoi(part[3]);
  time.tm_hour = std::stoi(part[4]);
  time.tm_min = std::stoi(part[5]);
  time.tm_sec = std::stoi(part[6]);
  return ::timegm(&time) * second + std::stoll(part[7]);
}

const Names& numeric_paths() {
  static const Names paths = {
      "server.port",
      "client.port",
      "process.pid",
      "event.sequence",
      "acceptwatch.count",
      "acceptwatch.owners",
      "acceptwatch.accept_queue.depth",
      "acceptwatch.accept_queue.limit",
      "acceptwatch.syn_queue.depth",
      "acceptwatch.syn_queue.limit",
      "acceptwatch.netns",
      "acceptwatch.retry",
  };
  return paths;
}

const Names& text_paths() {
  static const Names paths = {
      "@timestamp",
      "event.kind",
      "event.action",
      "event.reason",
      "server.address",
      "client.address",
      "network.transport",
      "network.type",
      "process.name",
      "acceptwatch.stage",
      "process.linux.cgroup",
      "container.id",
      "host.name",
      "acceptwatch.socket",
      "acceptwatch.kernel_reason",
      "acceptwatch.netfilter.hook",
      "acceptwatch.netfilter.table",
      "acceptwatch.netfilter.chain",
      "acceptwatch.source",
  };
  return paths;
}

} // namespace

// The kernel stamps records with a clock that user space converts: a second is more than that can
// be off.
WellFormed::WellFormed(std::string tier)
    : tier_(std::move(tier)), begin_ns_(realtime_ns() - second) {}

void WellFormed::complain(const std::string& what, const std::string& line) {
  if (said_.insert(what).second) {
    complaints_.push_back(cat(what, "\n         in: ", line));
  }
}

void WellFormed::take(const Record& record) {
  if (record.line.size() > longest_line) {
    complain("longer than 4 KiB", record.line);
  }
  check_timestamp(record);
  check_values(record);
  check_key_order(record);
  check_sequence(record);
  if (record.kind == "event" || record.kind == "alert") {
    check_names(record);
    check_source(record);
  } else if (record.kind != "metric") {
    complain("event.kind is neither event, alert nor metric", record.line);
  }
}

void WellFormed::check_timestamp(const Record& record) {
  const int64_t time = parse_timestamp(record.field("@timestamp").value_or(""));
  if (time < 0) {
    complain("@timestamp is not RFC 3339 in UTC with nine digits", record.line);
    return;
  }
  if (time < begin_ns_ || time > realtime_ns() + second) {
    complain("@timestamp lies outside the run", record.line);
  }
  if (time < latest_ns_ - tolerated_disorder) {
    complain("@timestamp is seconds older than that of an earlier line", record.line);
  }
  latest_ns_ = std::max(latest_ns_, time);
}

// Nothing is lost on its way to this reader, so no number is missing.
void WellFormed::check_sequence(const Record& record) {
  if (record.number("event.sequence") != next_sequence_++) {
    complain("event.sequence does not count the records", record.line);
  }
}

void WellFormed::check_names(const Record& record) {
  const auto known = reasons_of_actions().find(record.action);
  if (known == reasons_of_actions().end()) {
    complain("event.action is not one of the closed set", record.line);
    return;
  }
  if (!known->second.empty() && !known->second.contains(record.reason)) {
    complain("event.reason is not one of the closed set of " + record.action, record.line);
  }
  if (!is_loss_or_life(record.action)) {
    return;
  }
  static const Names stages = {"syn", "synack", "ack", "cookie", "queued", "closed"};
  if (!record.stage.empty() && !stages.contains(record.stage)) {
    complain("acceptwatch.stage is not one of the closed set", record.line);
  }
  // Of a packet that could not be read there is no port, where no socket of its listener is known.
  const bool without_socket = record.action == "reset_sent" &&
                              (record.reason == "no_listener" || record.reason == "other" ||
                               record.reason == "listener_closed");
  const bool unread = without_socket && !record.field("client.port");
  // Listeners of a service that opens and closes ports all the time are told together.
  const bool together = record.count > 1 &&
                        (record.action == "listener_opened" || record.action == "listener_closed");
  for (const char* path :
       {"acceptwatch.count", "acceptwatch.netns", "acceptwatch.source", "server.port"}) {
    if (!record.field(path) && !((unread || together) && path == std::string("server.port"))) {
      complain(cat(path, " is missing"), record.line);
    }
  }
}

void WellFormed::check_values(const Record& record) {
  for (const auto& [path, value] : record.fields) {
    const bool is_number = record.numbers.contains(path);
    if ((numeric_paths().contains(path) && !is_number) ||
        (text_paths().contains(path) && is_number)) {
      complain(path + " has the wrong type", record.line);
    }
    // An unknown value is an absent key.
    if (value.empty() || value == "-" || (value == "null" && !is_number)) {
      complain(path + " stands for an unknown value", record.line);
    }
  }
  for (const char* path : {"server.port", "client.port"}) {
    const auto port = record.number(path);
    if (port && (*port < 1 || *port > 65535)) {
      complain(cat(path, " is no port"), record.line);
    }
  }
  for (const char* path :
       {"acceptwatch.count", "process.pid", "acceptwatch.owners", "acceptwatch.retry"}) {
    const auto number = record.number(path);
    if (number && *number < 1) {
      complain(cat(path, " is less than 1"), record.line);
    }
  }
}

void WellFormed::check_source(const Record& record) {
  static const std::map<std::string, Names> possible = {
      {"auto", {"fentry", "kprobe", "tracepoint", "poll"}},
      {"fentry", {"fentry", "tracepoint", "poll"}},
      {"kprobe", {"kprobe", "tracepoint", "poll"}},
      {"tracepoint", {"tracepoint", "poll"}},
      {"poll", {"poll"}},
  };
  const auto source = record.field("acceptwatch.source");
  const auto tier = possible.find(tier_);
  if (source && tier != possible.end() && !tier->second.contains(*source)) {
    complain(cat("acceptwatch.source is ", *source, ", which --probes ", tier_, " rules out"),
             record.line);
  }
}

// "Fixed key order": two keys never appear in one order here and in the other there.
void WellFormed::check_key_order(const Record& record) {
  for (const auto& [object, keys] : record.keys) {
    for (size_t first = 0; first < keys.size(); ++first) {
      for (size_t later = first + 1; later < keys.size(); ++later) {
        const std::string one = object + "." + keys[first];
        const std::string other = object + "." + keys[later];
        behind_[one].insert(other);
        if (behind_[other].contains(one)) {
          complain(cat("the keys ", keys[first], " and ", keys[later], " of \"", object,
                       "\" have no fixed order"),
                   record.line);
        }
      }
    }
  }
}

} // namespace acceptwatch::scenarios
