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
  std::string tail = fmt::format("/{}", owner->pid);
  const std::string times = owners > 1 ? fmt::format(" x{}", owners) : "";
  if (tail.size() + times.size() < width) // the pid matters more
    tail += times;
  std::string name = printable(owner->name);
  if (name.size() + tail.size() > width)
    name = cut(name, width > tail.size() + 1 ? width - tail.size() - 1 : 0) + "~";
  return name + tail;
}

} // namespace acceptwatch
