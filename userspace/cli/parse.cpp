// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"

#include "base/text.h"
#include "base/version.h"
#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/interpret.h"
#include "cli/nearest.h"
#include "cli/values.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <span>

namespace acceptwatch {
namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames())
      names.push_back("--" + name);
  }
  return names;
}

/// The nearest option or command to a word.
std::optional<std::string> nearest_of(const CommandLine& line, const std::string& word) {
  return nearest(word.substr(0, word.find('=')), word.starts_with("-")
                                                     ? option_names(line.typed_command())
                                                     : command_names(line.app));
}

/// Words that no command takes. What stands where a port may stand is one of them, unless it is
/// one.
tl::unexpected<Error> wrong_words(const CommandLine& line) {
  auto words = line.app.remaining(true);
  for (const auto& word : line.app.get_option("--port")->results()) {
    if (!parse_ports(word))
      words.insert(words.begin(), word);
  }
  const auto first_near = std::ranges::find_if(
      words, [&](const std::string& word) { return nearest_of(line, word).has_value(); });
  const auto& word = first_near == words.end() ? words.front() : *first_near;
  const auto near = nearest_of(line, word);
  const auto& command = line.typed_command();
  const auto whose = &command == &line.app ? std::string{} : " of `" + command.get_name() + "`";
  return wrong(line, fmt::format("'{}' is no {}{}{}", printable(word.substr(0, word.find('='))),
                                 word.starts_with("-") ? "option" : "command or argument", whose,
                                 near ? fmt::format("; `{}` is the nearest", *near) : ""));
}

/// "--port: 1 required ... missing"
tl::unexpected<Error> wrong_number_of_values(const CommandLine& line, std::string_view message) {
  return wrong(line, fmt::format("{}: its value is missing, or it has too many",
                                 message.substr(0, message.find(':'))));
}

/// What `--config` names cannot be read.
tl::unexpected<Error> wrong_file(const CommandLine& line) {
  return wrong(line, fmt::format("--config: cannot read {}",
                                 printable(line.app.get_config_ptr()->results().front())));
}

/// "INI was not able to parse prot", "help: This option is not allowed in a configuration file"
tl::unexpected<Error> wrong_line_of_file(const CommandLine& line, std::string_view message) {
  constexpr std::string_view unknown = "INI was not able to parse ";
  const bool is_unknown = message.starts_with(unknown);
  const std::string name{is_unknown ? message.substr(unknown.size())
                                    : message.substr(0, message.find(':'))};
  const auto near = is_unknown ? nearest("--" + name, option_names(line.app)) : std::nullopt;
  return wrong(line,
               fmt::format("{}: '{}' is no option that a file may have{}",
                           printable(line.app.get_config_ptr()->results().front()), printable(name),
                           near ? fmt::format("; `{}` is the nearest", near->substr(2)) : ""));
}

/// A section "[explain]" of a file gives options to a command that was not typed.
const CLI::App* command_with_useless_options(const CommandLine& line) {
  for (const auto* command : line.app.get_subcommands({})) {
    if (!command->parsed() &&
        std::ranges::any_of(command->get_options(), [](const auto* one) { return one->count(); }))
      return command;
  }
  return nullptr;
}

Result<std::variant<Options, Answer>> help_of(const CommandLine& line, const std::string& name) {
  // CLI11 gives the help of the command that was typed, which is `help` itself.
  const CommandLine untyped;
  if (name.empty())
    return Answer{untyped.help_of(untyped.app)};
  for (const auto* command : untyped.app.get_subcommands({})) {
    if (command->get_name() == name)
      return Answer{untyped.help_of(*command)};
  }
  const auto near = nearest(name, command_names(line.app));
  return wrong(line, fmt::format("help: '{}' is no command{}", printable(name),
                                 near ? fmt::format("; `{}` is the nearest", *near) : ""));
}

Result<std::variant<Options, Answer>> answer_or_options(CommandLine& line) {
  if (line.version->parsed())
    return Answer{build_description() + "\n"};
  if (line.help->parsed())
    return help_of(line, line.help_wanted);
  if (line.completion->parsed()) {
    auto script = completion_script(line.app, line.shell);
    if (!script)
      return wrong(line,
                   fmt::format("completion: '{}' is not bash, zsh or fish", printable(line.shell)));
    return Answer{std::move(*script)};
  }
  if (line.explain->parsed())
    line.options.command = Command::explain;
  if (line.check->parsed())
    line.options.command = Command::check;
  if (line.list->parsed())
    line.options.command = Command::list;
  if (auto done = interpret(line); !done)
    return tl::unexpected{done.error()};
  return line.options;
}

/// The option of "--output=", as in a script whose variable is empty. CLI11 would take the next
/// word for its value.
std::optional<std::string> option_without_value(std::span<const char* const> words) {
  const auto found = std::ranges::find_if(words, [](std::string_view word) {
    return word.starts_with("--") && word.find('=') == word.size() - 1;
  });
  return found == words.end() ? std::nullopt
                              : std::optional{std::string{*found, std::strlen(*found) - 1}};
}

} // namespace

Result<std::variant<Options, Answer>> parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  if (const auto name = option_without_value({argv, static_cast<size_t>(argc)}))
    return wrong(line, fmt::format("{}: the value is empty", printable(*name)));
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Answer{line.help_of(line.typed_command())};
  } catch (const CLI::CallForVersion&) {
    return Answer{build_description() + "\n"};
  } catch (const CLI::ExtrasError&) {
    return wrong_words(line);
  } catch (const CLI::ArgumentMismatch& error) {
    return wrong_number_of_values(line, error.what());
  } catch (const CLI::FileError&) {
    return wrong_file(line);
  } catch (const CLI::ConfigError& error) {
    return wrong_line_of_file(line, error.what());
  } catch (const CLI::ParseError& error) {
    return wrong(line, error.what());
  }
  if (const auto* command = command_with_useless_options(line))
    return wrong(line, fmt::format("{}: section [{}] has no use: a file is for the run without a "
                                   "command",
                                   printable(line.app.get_config_ptr()->results().front()),
                                   command->get_name()));
  return answer_or_options(line);
}

} // namespace acceptwatch
