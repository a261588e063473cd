// SPDX-License-Identifier: Apache-2.0
#include "output/json_writer.h"

#include "base/text.h"

#include <rapidjson/writer.h>

namespace acceptwatch {
namespace {

/// RapidJSON's output-stream concept over a string that is appended to.
class StringStream {
public:
  using Ch = char;
  explicit StringStream(std::string& out) : out_(out) {}
  // NOLINTBEGIN(readability-identifier-naming)
  void Put(char c) { out_.push_back(c); }
  void Flush() {}
  // NOLINTEND(readability-identifier-naming)

private:
  std::string& out_;
};

} // namespace

void JsonWriter::member(std::string_view key, double value) {
  name(key);
  make_room(1);
  separate();
  flush();
  StringStream stream{out_};
  rapidjson::Writer{stream}.Double(value);
}

void JsonWriter::member(std::string_view key, bool value) {
  name(key);
  make_room(sizeof("false"));
  separate();
  append(value ? "true" : "false");
}

void JsonWriter::append_past_chunk(std::string_view text) {
  flush();
  out_.append(text);
}

/// Rare: names that a process chose in order to be difficult.
void JsonWriter::escape(std::string_view text) {
  const std::string valid = valid_utf8(text);
  flush();
  StringStream stream{out_};
  rapidjson::Writer{stream}.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

void JsonWriter::flush() {
  out_.append(chunk_.data(), used_);
  used_ = 0;
}

} // namespace acceptwatch
