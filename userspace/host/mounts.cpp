// SPDX-License-Identifier: Apache-2.0
#include "host/mounts.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>

namespace acceptwatch {
namespace {

/// The kernel writes blanks, tabs, newlines and backslashes as \ooo (mangle()).
std::string unescaped(std::string_view field) {
  std::string text;
  for (size_t i = 0; i < field.size(); ++i) {
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    const auto digits = field.substr(i, 4);
    if (digits.size() == 4 && digits[0] == '\\' &&
        std::ranges::all_of(digits.substr(1), is_octal)) {
      text.push_back(
          static_cast<char>((digits[1] - '0') * 64 + (digits[2] - '0') * 8 + (digits[3] - '0')));
      i += 3;
    } else {
      text.push_back(field[i]);
    }
  }
  return text;
}

} // namespace

std::vector<Mount> mounts_of(const std::string& table) {
  // proc(5): "41 31 0:38 ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE …"
  enum Field : ptrdiff_t { root = 3, mount_point = 4, options = 5 };
  std::vector<Mount> mounts;
  const std::string content = read_file(table).value_or("");
  for (const auto line : split(content, '\n')) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() > options && fields.end() - dash >= 2)
      mounts.push_back({unescaped(dash[1]), unescaped(fields[root]), unescaped(fields[mount_point]),
                        fields.end() - dash > 3 ? std::string{dash[3]} : std::string{}});
  }
  return mounts;
}

} // namespace acceptwatch
