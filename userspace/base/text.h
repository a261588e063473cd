// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// Strings that come from the kernel or from processes may hold any bytes: a
/// process chooses its own name. Control characters and bytes that are not
/// UTF-8 come out as \xNN, so that a terminal shows them and obeys none.
[[nodiscard]] std::string printable(std::string_view bytes);

/// Bytes that are not UTF-8 become U+FFFD; all else stays (a JSON writer escapes
/// control characters by itself).
[[nodiscard]] std::string valid_utf8(std::string_view bytes);

struct CodePoint {
  uint32_t code;
  size_t length; ///< in bytes
};
/// The first one of valid UTF-8.
[[nodiscard]] CodePoint first_code_point(std::string_view valid);

/// Nothing that is to be seen, though a terminal may obey it, or a reader take it for the end of a
/// line: controls, separators, and what directs how other characters are shown.
[[nodiscard]] bool is_unprintable(uint32_t code);

/// A decimal number. Absent if there is anything else in the text.
template <typename Number> [[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

/// The parts between `separator`. Several spaces in a row separate once, other separators each.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

} // namespace acceptwatch
