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

/// Rare: names that a process chose in order to be difficult. What some readers of lines take for
/// the end of one is escaped, though JSON does not ask for it: U+0085, U+2028 and U+2029, and
/// other control characters from U+007F to U+009F.
void JsonWriter::escape(std::string_view text) {
  flush();
  out_.push_back('"');
  const std::string valid = valid_utf8(text);
  for (std::string_view rest{valid}; !rest.empty();) {
    const auto byte = static_cast<unsigned char>(rest[0]);
    size_t length = 1;
    if (byte < 0x20 || byte == 0x7F)
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
    else if (byte == 0xC2 && static_cast<unsigned char>(rest[1]) < 0xA0)
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}",
                     static_cast<unsigned char>(rest[length++]));
    else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out_ += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      length = 3;
    } else {
      if (byte == '"' || byte == '\\')
        out_.push_back('\\');
      out_.push_back(rest[0]);
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
