// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

struct Sequence {
  size_t length; ///< bytes taken, at least 1
  bool valid;
  uint32_t code = 0;
};

constexpr bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// The code point's range for each length: overlong forms, surrogates and
/// numbers past U+10FFFF are not UTF-8 (RFC 3629).
constexpr bool in_range(uint32_t code, size_t length) {
  switch (length) {
  case 2:
    return code >= 0x80;
  case 3:
    return code >= 0x800 && (code < 0xD800 || code > 0xDFFF);
  default:
    return code >= 0x10000 && code <= 0x10FFFF;
  }
}

Sequence next_sequence(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes.front());
  if (lead < 0x80)
    return {1, true, lead};
  const size_t length = lead >= 0xF8   ? 0
                        : lead >= 0xF0 ? 4
                        : lead >= 0xE0 ? 3
                        : lead >= 0xC0 ? 2
                                       : 0;
  if (length == 0 || bytes.size() < length)
    return {1, false};
  uint32_t code = lead & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if (!continues(bytes[i]))
      return {1, false};
    code = code << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3FU);
  }
  return in_range(code, length) ? Sequence{length, true, code} : Sequence{1, false};
}

/// Unicode's classes Zl, Zp and Cf, as of 15.0: line and paragraph separators, and what directs
/// how other characters are shown: order (U+202E), joining, what is invisible.
constexpr std::array<std::pair<uint32_t, uint32_t>, 21> directing{
    {{0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},
     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},     {0x180E, 0x180E},
     {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x2064},   {0x2066, 0x206F},
     {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
     {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0001, 0xE0001},
     {0xE0020, 0xE007F}}};

} // namespace

/// C0, DEL, and C1 (U+0080 .. U+009F, which a terminal may obey too).
bool is_unprintable(uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0))
    return true;
  return code >= 0xAD && std::ranges::any_of(directing, [code](const auto& range) {
           return range.first <= code && code <= range.second;
         });
}

CodePoint first_code_point(std::string_view valid) {
  const Sequence first = next_sequence(valid);
  return {first.code, first.length};
}

std::string printable(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const auto [length, valid, code] = next_sequence(bytes);
    const auto sequence = bytes.substr(0, length);
    if (valid && !is_unprintable(code)) {
      out.append(sequence);
    } else {
      for (const char byte : sequence)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
    bytes.remove_prefix(length);
  }
  return out;
}

std::string valid_utf8(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const auto [length, valid, code] = next_sequence(bytes);
    out.append(valid ? bytes.substr(0, length) : std::string_view{"\xEF\xBF\xBD"});
    bytes.remove_prefix(length);
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    const auto part = text.substr(0, end);
    if (!part.empty() || separator != ' ')
      parts.push_back(part);
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

} // namespace acceptwatch
