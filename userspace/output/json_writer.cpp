// SPDX-License-Identifier: Apache-2.0
#include "output/json_writer.h"

#include "base/text.h"

#include <fmt/format.h>
#include <iterator>
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

/// RFC 8259, 7: past U+FFFF by a pair of surrogates.
void JsonWriter::escape(uint32_t code) {
  auto out = std::back_inserter(out_);
  if (code > 0xFFFF)
    fmt::format_to(out, "\\u{:04x}\\u{:04x}", 0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF));
  else
    fmt::format_to(out, "\\u{:04x}", code);
}

/// Rare: names that a process chose in order to be difficult. What some readers of lines take for
/// the end of one, or a terminal for an order, is escaped, though JSON does not ask for it.
void JsonWriter::escape(std::string_view text) {
  flush();
  out_.push_back('"');
  const std::string valid = valid_utf8(text);
  for (std::string_view rest{valid}; !rest.empty();) {
    const auto [code, length] = first_code_point(rest);
    if (is_unprintable(code)) {
      escape(code);
    } else {
      if (code == '"' || code == '\\')
        out_.push_back('\\');
      out_.append(rest.substr(0, length));
    }
    rest.remove_prefix(length);
  }
  out_.push_back('"');
}

void JsonWriter::flush() {
  out_.append(chunk_.data(), used_);
  used_ = 0;
}

} // namespace acceptwatch
