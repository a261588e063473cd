// SPDX-License-Identifier: Apache-2.0
#include "cli/help_format.h"

#include "base/text.h"

#include <fmt/format.h>

namespace acceptwatch {
namespace {

constexpr size_t width = 80;
constexpr size_t second_column = 26;

std::string entry(const std::string& name, const std::string& sentence) {
  std::string text = "  " + name;
  std::string line;
  const auto end_line = [&] {
    const size_t used = text.size() - (text.rfind('\n') + 1);
    if (used >= second_column)
      text += fmt::format("\n{:{}}", "", second_column);
    else
      text += std::string(second_column - used, ' ');
    text += line + "\n";
    line.clear();
  };
  for (const auto word : split(sentence, ' ')) {
    if (!line.empty() && second_column + line.size() + 1 + word.size() > width)
      end_line();
    line += (line.empty() ? "" : " ");
    line += word;
  }
  end_line();
  return text;
}

} // namespace

std::string HelpFormat::make_positionals(const CLI::App* app) const {
  const auto only_there = app->get_options([](const CLI::Option* option) {
    return option->get_positional() && !option->nonpositional();
  });
  return only_there.empty() ? std::string{}
                            : make_group(get_label("Positionals"), true, only_there);
}

std::string HelpFormat::make_option(const CLI::Option* option, bool is_positional) const {
  return entry(make_option_name(option, is_positional) + make_option_opts(option),
               make_option_desc(option));
}

std::string HelpFormat::make_subcommand(const CLI::App* command) const {
  return entry(command->get_name(), command->get_description());
}

} // namespace acceptwatch
