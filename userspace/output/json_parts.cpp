// SPDX-License-Identifier: Apache-2.0
#include "output/json_parts.h"

#include "events/time.h"

#include <sys/socket.h>

namespace acceptwatch {

void write_end(JsonWriter& json, std::string_view key, const std::optional<Address>& address,
               std::optional<uint16_t> port) {
  const auto text = address ? to_string(*address) : ShortText<INET6_ADDRSTRLEN>{};
  if (text.empty() && !port)
    return;
  json.begin_object(key);
  json.known("address", text);
  json.member("port", port);
  json.end_object();
}

void write_network(JsonWriter& json, uint16_t family) {
  json.begin_object("network");
  json.member("transport", "tcp");
  if (family)
    json.member("type", family == AF_INET ? "ipv4" : "ipv6");
  json.end_object();
}

void write_owner(JsonWriter& json, const std::optional<Owner>& owner,
                 std::optional<Timestamp> started) {
  if (!owner)
    return;
  json.begin_object("process");
  json.member("pid", owner->pid);
  json.known("name", owner->name);
  if (started)
    json.member("start", std::string_view{rfc3339(*started)});
  json.end_object();
}

void write_cgroup(JsonWriter& json, const std::string& path) {
  constexpr size_t max_path = 1024;
  if (path.size() <= max_path)
    json.member("cgroup", path);
  else
    json.member("cgroup", path.substr(0, max_path) + "...");
}

} // namespace acceptwatch
