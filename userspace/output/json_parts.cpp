// SPDX-License-Identifier: Apache-2.0
#include "output/json_parts.h"

#include "events/time.h"

#include <fmt/format.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

void write_cgroup(JsonWriter& json, const std::string& path) {
  constexpr size_t max_path = 1024;
  json.begin_object("linux");
  if (path.size() * 6 <= max_path)
    json.member("cgroup", path);
  else
    json.member("cgroup", fitting(path, max_path));
  json.end_object();
}

} // namespace

void write_end(JsonWriter& json, std::string_view key, const std::optional<Address>& address,
               std::optional<uint16_t> port, const std::optional<OwnEnd>& nat) {
  const auto text = address ? to_string(*address) : ShortText<INET6_ADDRSTRLEN>{};
  if (text.empty() && !port)
    return;
  json.begin_object(key);
  json.known("address", text);
  json.member("port", port);
  if (nat) {
    json.begin_object("nat");
    if (nat->address)
      json.member("ip", std::string_view{to_string(*nat->address)});
    json.member("port", nat->port);
    json.end_object();
  }
  json.end_object();
}

void write_network(JsonWriter& json, uint16_t family, std::string_view device) {
  json.begin_object("network");
  json.member("transport", "tcp");
  if (family)
    json.member("type", family == AF_INET ? "ipv4" : "ipv6");
  if (!device.empty()) {
    json.begin_object("interface");
    json.member("name", device);
    json.end_object();
  }
  json.end_object();
}

void write_queue(JsonWriter& json, std::string_view key, const std::optional<Queue>& queue,
                 std::optional<double> oldest_seconds, std::optional<uint32_t> peak) {
  if (!queue)
    return;
  json.begin_object(key);
  json.member("depth", queue->depth);
  json.member("limit", queue->limit);
  json.member("oldest_seconds", oldest_seconds);
  json.member("peak", peak);
  json.end_object();
}

void write_owner(JsonWriter& json, const std::optional<Owner>& owner,
                 std::optional<Timestamp> started) {
  if (!owner)
    return;
  json.begin_object("process");
  if (owner->pid)
    json.member("pid", owner->pid);
  json.known("name", owner->name);
  if (started)
    json.member("start", std::string_view{rfc3339(*started)});
  if (owner->cgroup)
    write_cgroup(json, *owner->cgroup);
  json.end_object();
}

void write_container(JsonWriter& json, const std::optional<Owner>& owner) {
  if (!owner || !owner->container)
    return;
  json.begin_object("container");
  json.member("id", *owner->container);
  json.end_object();
}

void end_record(JsonWriter& json, std::string& out) {
  json.end_object();
  json.end_object();
  out.push_back('\n');
}

std::string fitting(std::string_view text, size_t most) {
  const auto length_of = [](unsigned char byte) -> size_t {
    // Of what is not ASCII: U+FFFD, which stands for a wrong byte, or an escape for two.
    return byte < 0x20 || byte == 0x7F ? 6 : byte == '"' || byte == '\\' ? 2 : byte < 0x80 ? 1 : 3;
  };
  size_t length = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    length += length_of(static_cast<unsigned char>(text[i]));
    if (length > most)
      return std::string{text.substr(0, i)} + "...";
  }
  return std::string{text};
}

void write_as_text(JsonWriter& json, std::string_view key, uint64_t number) {
  const fmt::format_int digits{number};
  json.member(key, std::string_view{digits.data(), digits.size()});
}

void write_time_and_host(JsonWriter& json, Timestamp time, std::string_view host) {
  json.member("@timestamp", std::string_view{rfc3339(time)});
  if (host.empty())
    return;
  json.begin_object("host");
  json.member("name", host);
  json.end_object();
}

} // namespace acceptwatch
