// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/text.h"

#include <cstdint>
#include <optional>
#include <rapidjson/writer.h>
#include <string>
#include <string_view>

namespace acceptwatch {

/// RapidJSON's output-stream concept over a string that is appended to.
class StringStream {
public:
  using Ch = char;
  explicit StringStream(std::string& out) : out_(out) {}
  void Put(char c) { out_.push_back(c); }
  void Flush() {}

private:
  std::string& out_;
};

/// A JSON writer that leaves out what is not known.
class JsonWriter {
public:
  explicit JsonWriter(std::string& out) : stream_(out), writer_(stream_) {}

  void begin_object() { writer_.StartObject(); }
  void begin_object(std::string_view key) {
    name(key);
    writer_.StartObject();
  }
  void end_object() { writer_.EndObject(); }
  void begin_array(std::string_view key) {
    name(key);
    writer_.StartArray();
  }
  void end_array() { writer_.EndArray(); }

  void member(std::string_view key, std::string_view value) {
    name(key);
    string(value);
  }
  void member(std::string_view key, const char* value) { member(key, std::string_view{value}); }
  void member(std::string_view key, uint64_t value) {
    name(key);
    writer_.Uint64(value);
  }
  void member(std::string_view key, unsigned value) { member(key, uint64_t{value}); }
  void member(std::string_view key, uint16_t value) { member(key, uint64_t{value}); }
  void member(std::string_view key, double value) {
    name(key);
    writer_.Double(value);
  }
  void member(std::string_view key, bool value) {
    name(key);
    writer_.Bool(value);
  }
  template <typename T> void member(std::string_view key, const std::optional<T>& value) {
    if (value)
      member(key, *value);
  }
  void known(std::string_view key, std::string_view value) {
    if (!value.empty())
      member(key, value);
  }

  void string(std::string_view value) {
    const std::string text = valid_utf8(value);
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }

private:
  void name(std::string_view key) {
    writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  }

  StringStream stream_;
  rapidjson::Writer<StringStream> writer_;
};

} // namespace acceptwatch
