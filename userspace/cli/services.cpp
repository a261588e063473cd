// SPDX-License-Identifier: Apache-2.0
#include "cli/services.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <vector>

namespace acceptwatch {
namespace {

/// "http  80/tcp  www  # WorldWideWeb": its words, without the comment.
std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  constexpr std::string_view blanks = " \t\r";
  while (true) {
    const auto begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos)
      return words;
    line.remove_prefix(begin);
    words.push_back(line.substr(0, line.find_first_of(blanks)));
    line.remove_prefix(words.back().size());
  }
}

} // namespace

std::optional<uint16_t> port_of_service(std::string_view name, std::string_view services) {
  constexpr std::string_view tcp = "/tcp";
  for (const auto line : split(services, '\n')) {
    auto words = words_of(line);
    if (words.size() < 2 || !words[1].ends_with(tcp))
      continue;
    const auto port = parse_number<uint16_t>(words[1].substr(0, words[1].size() - tcp.size()));
    words.erase(words.begin() + 1);
    if (port.value_or(0) != 0 && std::ranges::find(words, name) != words.end())
      return port;
  }
  return std::nullopt;
}

std::optional<uint16_t> port_of_service(std::string_view name) {
  const auto services = read_file("/etc/services");
  return services ? port_of_service(name, *services) : std::nullopt;
}

} // namespace acceptwatch
