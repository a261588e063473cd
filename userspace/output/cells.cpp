// SPDX-License-Identifier: Apache-2.0
#include "output/cells.h"

#include "base/text.h"

#include <fmt/format.h>

namespace acceptwatch {

std::string cut(const std::string& text, size_t bytes) {
  const auto continues = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (bytes > 0 && bytes < text.size() && continues(bytes))
    --bytes;
  return text.substr(0, bytes);
}

std::string owner_text(const std::optional<Owner>& owner, size_t owners, size_t width) {
  if (!owner)
    return "-";
  std::string tail = owner->pid ? fmt::format("/{}", owner->pid) : "";
  const std::string times = owners > 1 ? fmt::format(" x{}", owners) : "";
  if (tail.size() + times.size() < width) // the pid matters more
    tail += times;
  std::string name = printable(owner->name);
  if (name.size() + tail.size() > width)
    name = cut(name, width > tail.size() + 1 ? width - tail.size() - 1 : 0) + "~";
  return name + tail;
}

std::string duration_text(double seconds) {
  const auto digits = [](double value, std::string_view unit) {
    return fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, unit);
  };
  if (seconds < 0.9995e-3)
    return fmt::format("{:.0f}us", seconds * 1e6);
  if (seconds < 0.9995)
    return digits(seconds * 1e3, "ms");
  return digits(seconds, "s");
}

std::string wrapped(std::string_view text, std::string_view indent) {
  constexpr size_t columns = 80;
  std::string out;
  size_t used = 0;
  for (const auto word : split(text, ' ')) {
    if (used && used + 1 + word.size() > columns) {
      out.push_back('\n');
      used = 0;
    }
    out += used ? std::string_view{" "} : indent;
    used += (used ? 1 : indent.size()) + word.size();
    out += word;
  }
  out.push_back('\n');
  return out;
}

} // namespace acceptwatch
