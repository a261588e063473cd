// SPDX-License-Identifier: Apache-2.0
#include "core/report.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;
using JsonValue = rapidjson::Value;

void put(JsonWriter& out, const char* key, const std::string& value) {
  out.Key(key);
  out.String(value.c_str());
}

void put(JsonWriter& out, const char* key, const std::optional<Range>& value) {
  if (value) {
    out.Key(key);
    out.StartArray();
    out.Int64(value->low);
    out.Int64(value->high);
    out.EndArray();
  }
}

void put(JsonWriter& out, const char* key, const std::map<std::string, int64_t>& values) {
  out.Key(key);
  out.StartObject();
  for (const auto& [name, value] : values) {
    out.Key(name.c_str());
    out.Int64(value);
  }
  out.EndObject();
}

void put_identity(JsonWriter& out, const Expectation& expected) {
  put(out, "action", expected.action);
  put(out, "reason", expected.reason);
  put(out, "stage", expected.stage);
  put(out, "network_type", expected.network_type);
  put(out, "server_address", expected.server_address);
  put(out, "client_address", expected.client_address);
  out.Key("server_port");
  out.Uint(expected.server_port);
  out.Key("count");
  out.Uint64(expected.count);
  out.Key("clients");
  out.StartArray();
  for (const auto& [port, times] : expected.clients) {
    out.Uint(port);
    out.Uint64(times);
  }
  out.EndArray();
}

void put_expectation(JsonWriter& out, const Expectation& expected) {
  out.StartObject();
  put_identity(out, expected);
  out.Key("folds");
  out.Bool(expected.folds);
  out.Key("no_owner");
  out.Bool(expected.no_owner);
  if (expected.owner) {
    out.Key("pid");
    out.Int64(expected.owner->pid);
    out.Key("owners");
    out.Int64(expected.owner->owners);
    put(out, "name", expected.owner->name);
  }
  put(out, "accept_depth", expected.accept_depth);
  put(out, "accept_limit", expected.accept_limit);
  put(out, "syn_depth", expected.syn_depth);
  put(out, "syn_limit", expected.syn_limit);
  put(out, "retry", expected.retry);
  put(out, "nat_port", expected.nat_port);
  put(out, "netfilter_hook", expected.netfilter_hook);
  put(out, "netfilter_table", expected.netfilter_table);
  put(out, "netfilter_chain", expected.netfilter_chain);
  put(out, "end", expected.end);
  put(out, "kernel_function", expected.kernel_function);
  put(out, "also", expected.also);
  out.EndObject();
}

void put_world(JsonWriter& out, const WorldReport& world) {
  out.StartObject();
  out.Key("netns");
  out.Uint64(world.netns);
  out.Key("quiet");
  out.Bool(world.quiet);
  out.Key("by_chance");
  out.Bool(world.by_chance);
  put(out, "beside", world.beside);
  put(out, "measured", world.measured);
  put(out, "moved", world.moved);
  out.Key("expected");
  out.StartArray();
  for (const Expectation& expected : world.expected) {
    put_expectation(out, expected);
  }
  out.EndArray();
  out.EndObject();
}

std::optional<Range> range_at(const JsonValue& from, const char* key) {
  if (!from.HasMember(key)) {
    return std::nullopt;
  }
  return Range{from[key][0].GetInt64(), from[key][1].GetInt64()};
}

std::map<std::string, int64_t> numbers_at(const JsonValue& from, const char* key) {
  std::map<std::string, int64_t> result;
  for (const auto& member : from[key].GetObject()) {
    result[member.name.GetString()] = member.value.GetInt64();
  }
  return result;
}

Expectation expectation_from(const JsonValue& from) {
  Expectation result;
  result.action = from["action"].GetString();
  result.reason = from["reason"].GetString();
  result.stage = from["stage"].GetString();
  result.network_type = from["network_type"].GetString();
  result.server_address = from["server_address"].GetString();
  result.client_address = from["client_address"].GetString();
  result.server_port = static_cast<uint16_t>(from["server_port"].GetUint());
  result.count = from["count"].GetUint64();
  const auto clients = from["clients"].GetArray();
  for (rapidjson::SizeType at = 0; at + 1 < clients.Size(); at += 2) {
    result.clients[static_cast<uint16_t>(clients[at].GetUint())] = clients[at + 1].GetUint64();
  }
  result.folds = from["folds"].GetBool();
  result.no_owner = from["no_owner"].GetBool();
  if (from.HasMember("pid")) {
    result.owner =
        Owner{from["pid"].GetInt64(), from["name"].GetString(), from["owners"].GetInt64()};
  }
  result.accept_depth = range_at(from, "accept_depth");
  result.accept_limit = range_at(from, "accept_limit");
  result.syn_depth = range_at(from, "syn_depth");
  result.syn_limit = range_at(from, "syn_limit");
  result.retry = range_at(from, "retry");
  result.nat_port = range_at(from, "nat_port");
  result.netfilter_hook = from["netfilter_hook"].GetString();
  result.netfilter_table = from["netfilter_table"].GetString();
  result.netfilter_chain = from["netfilter_chain"].GetString();
  result.end = from["end"].GetString();
  result.kernel_function = from["kernel_function"].GetString();
  result.also = from["also"].GetString();
  return result;
}

WorldReport world_from(const JsonValue& from) {
  WorldReport result;
  result.netns = from["netns"].GetUint64();
  result.quiet = from["quiet"].GetBool();
  result.by_chance = from["by_chance"].GetBool();
  result.beside = numbers_at(from, "beside");
  result.measured = numbers_at(from, "measured");
  result.moved = from["moved"].GetString();
  for (const auto& expected : from["expected"].GetArray()) {
    result.expected.push_back(expectation_from(expected));
  }
  return result;
}

} // namespace

std::string to_json(const Report& report) {
  rapidjson::StringBuffer buffer;
  JsonWriter out(buffer);
  out.StartObject();
  out.Key("outcome");
  out.Int(static_cast<int>(report.outcome));
  put(out, "why", report.why);
  out.Key("failures");
  out.StartArray();
  for (const std::string& failure : report.failures) {
    out.String(failure.c_str());
  }
  out.EndArray();
  out.Key("worlds");
  out.StartArray();
  for (const WorldReport& world : report.worlds) {
    put_world(out, world);
  }
  out.EndArray();
  out.EndObject();
  return buffer.GetString();
}

Report report_from_json(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.c_str());
  if (document.HasParseError() || !document.IsObject()) {
    throw Failure("a scenario's report cannot be read: " + text);
  }
  Report result;
  result.outcome = static_cast<Outcome>(document["outcome"].GetInt());
  result.why = document["why"].GetString();
  for (const auto& failure : document["failures"].GetArray()) {
    result.failures.emplace_back(failure.GetString());
  }
  for (const auto& world : document["worlds"].GetArray()) {
    result.worlds.push_back(world_from(world));
  }
  return result;
}

} // namespace acceptwatch::scenarios
