// SPDX-License-Identifier: Apache-2.0
// Each command has a page of the manual, and the page has the command's options.
#include "base/file.h"
#include "cli/parse.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>

namespace acceptwatch {
namespace {

std::string help_of(const std::string& command) {
  std::vector<const char*> arguments{"acceptwatch", command.c_str(), "--help"};
  if (command.empty())
    arguments.erase(arguments.begin() + 1);
  const auto parsed = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  const auto* answer = parsed ? std::get_if<Answer>(&*parsed) : nullptr;
  EXPECT_TRUE(answer) << command;
  return answer ? answer->text : "";
}

/// "--port" of a line that begins with "  -P,--port" or "  --comm".
std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> options;
  for (size_t line = 0; line != std::string::npos; line = help.find('\n', line)) {
    line += line != 0;
    const size_t end = help.find_first_of(" \n", line + 2);
    const auto names = help.substr(line, end - line);
    if (const size_t at = names.find("--"); names.starts_with("  -") && at != std::string::npos)
      options.insert(names.substr(at));
    if (help.find('\n', line) == std::string::npos)
      break;
  }
  return options;
}

std::string page_of(const std::string& command) {
  const auto name = command.empty() ? std::string{"acceptwatch"} : "acceptwatch-" + command;
  auto text = read_file(fmt::format(TEST_DATA "/../../../docs/{}.8", name)).value_or("");
  EXPECT_FALSE(text.empty()) << name;
  std::erase(text, '\\'); // "\-" is a hyphen that is typed
  return text;
}

TEST(Manual, HasEachOptionOnThePageOfItsCommand) {
  for (const std::string command : {"", "explain", "list", "check", "completion"}) {
    const auto page = page_of(command);
    const auto options = options_in(help_of(command));
    EXPECT_FALSE(options.empty()) << command;
    for (const auto& option : options)
      EXPECT_NE(page.find(option), std::string::npos) << command << ' ' << option;
  }
}

TEST(Manual, NamesThePageOfEachCommand) {
  const auto page = page_of("");
  for (const std::string command : {"explain", "list", "check", "completion"})
    EXPECT_NE(page.find(fmt::format("acceptwatch-{} (8)", command)), std::string::npos) << command;
}

} // namespace
} // namespace acceptwatch
