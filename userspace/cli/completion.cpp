// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include "acceptwatch/record_cpp.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "events/names.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace acceptwatch {
namespace {

struct Value {
  std::vector<std::string> words{}; ///< what it may be; empty: anything
  bool is_file = false;
  bool is_none = false; ///< the option takes no value
};

/// From the option's form in the help: "text|ndjson" are words, "PATH|PID" is not.
Value value_of(const CLI::Option& option) {
  const auto& form = option.get_option_text();
  if (option.get_items_expected_max() == 0)
    return {.is_none = true};
  if (form == "FILE" || form == "PATH")
    return {.is_file = true};
  Value value;
  if (form.starts_with("EVENT")) {
    for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action)
      value.words.emplace_back(name_of(static_cast<aw_action>(action)));
    return value;
  }
  const auto is_word = [](std::string_view word) {
    return std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
  };
  for (const auto word : split(form, '|')) {
    if (!is_word(word))
      return {};
    value.words.emplace_back(word);
  }
  return value;
}

/// "-P", "--port".
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const auto& name : option.get_snames())
    names.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    names.push_back("--" + name);
  return names;
}

struct Described {
  std::string name, sentence;
};

std::vector<Described> commands_of(const CLI::App& app) {
  std::vector<Described> commands;
  for (const auto* command : app.get_subcommands({}))
    commands.push_back({command->get_name(), command->get_description()});
  return commands;
}

/// What may stand at a place where a command has been typed, or none: options, words, commands.
std::vector<Described> offered(const CLI::App& app, const CLI::App& command) {
  auto all = &command == &app || command.get_name() == "help" ? commands_of(app)
                                                              : std::vector<Described>{};
  for (const auto* option : command.get_options()) {
    const auto names = names_of(*option);
    if (!names.empty())
      all.push_back({names.back(), option->get_description()});
    else
      for (const auto& word : value_of(*option).words)
        all.push_back({word, option->get_description()});
  }
  return all;
}

/// The app itself, and its commands.
std::vector<const CLI::App*> apps_of(const CLI::App& app) {
  std::vector<const CLI::App*> all{&app};
  for (const auto* command : app.get_subcommands({}))
    all.push_back(command);
  return all;
}

/// Each option once that has a value, whatever command it belongs to.
std::vector<const CLI::Option*> options_with_values(const CLI::App& app) {
  std::vector<const CLI::Option*> found;
  for (const auto* one : apps_of(app)) {
    for (const auto* option : one->get_options()) {
      const auto names = names_of(*option);
      const bool known = std::ranges::any_of(
          found, [&](const CLI::Option* other) { return names_of(*other) == names; });
      if (!names.empty() && !value_of(*option).is_none && !known)
        found.push_back(option);
    }
  }
  return found;
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return out + "'";
}

std::string bash_script(const CLI::App& app) {
  std::string text = fmt::format(
      "# bash completions of acceptwatch; to be read by `source`\n_acceptwatch() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command= word\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case $word in {}) command=$word; break ;; esac\n  done\n  case $prev in\n",
      fmt::join(command_names(app), "|"));
  for (const auto* option : options_with_values(app)) {
    const auto value = value_of(*option);
    const auto reply =
        value.is_file ? std::string{"compgen -f -- \"$cur\""}
                      : fmt::format("compgen -W \"{}\" -- \"$cur\"", fmt::join(value.words, " "));
    text += fmt::format("    {}) mapfile -t COMPREPLY < <({}); return ;;\n",
                        fmt::join(names_of(*option), "|"), reply);
  }
  text += "  esac\n  local words=\n  case $command in\n";
  for (const auto* one : apps_of(app)) {
    std::vector<std::string> words;
    for (const auto& described : offered(app, *one))
      words.push_back(described.name);
    text += fmt::format("    {}) words=\"{}\" ;;\n", one == &app ? "''" : one->get_name(),
                        fmt::join(words, " "));
  }
  return text + "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
                "complete -F _acceptwatch acceptwatch\n";
}

std::string zsh_script(const CLI::App& app) {
  std::string text = fmt::format("#compdef acceptwatch\n_acceptwatch() {{\n  local command word\n"
                                 "  local -a offered\n  for word in ${{words[2,CURRENT-1]}}; do\n"
                                 "    case $word in ({}) command=$word; break ;; esac\n  done\n"
                                 "  case ${{words[CURRENT-1]}} in\n",
                                 fmt::join(command_names(app), "|"));
  for (const auto* option : options_with_values(app)) {
    const auto value = value_of(*option);
    const auto reply = value.is_file ? std::string{"_files"}
                       : value.words.empty()
                           ? std::string{"_message " + in_quotes(option->get_option_text())}
                           : fmt::format("compadd -- {}", fmt::join(value.words, " "));
    text += fmt::format("    ({}) {}; return ;;\n", fmt::join(names_of(*option), "|"), reply);
  }
  text += "  esac\n  case $command in\n";
  for (const auto* one : apps_of(app)) {
    text += fmt::format("    ({}) offered=(\n", one == &app ? "''" : one->get_name());
    for (const auto& described : offered(app, *one))
      text += fmt::format("      {}\n", in_quotes(described.name + ":" + described.sentence));
    text += "    ) ;;\n";
  }
  // In a directory of $fpath the file is the function itself when it is called first.
  return text + "  esac\n  _describe acceptwatch offered\n}\n"
                "if [ \"$funcstack[1]\" = _acceptwatch ]; then\n  _acceptwatch \"$@\"\n"
                "else\n  compdef _acceptwatch acceptwatch\nfi\n";
}

std::string fish_condition(const CLI::App& app, const CLI::App& one) {
  return &one == &app ? std::string{"__fish_use_subcommand"}
                      : fmt::format("__fish_seen_subcommand_from {}", one.get_name());
}

std::string fish_script(const CLI::App& app) {
  std::string text = "# fish completions of acceptwatch\ncomplete -c acceptwatch -f\n";
  for (const auto* one : apps_of(app)) {
    const auto begin =
        fmt::format("complete -c acceptwatch -n {}", in_quotes(fish_condition(app, *one)));
    for (const auto& described : offered(app, *one)) {
      if (!described.name.starts_with("-"))
        text +=
            fmt::format("{} -a {} -d {}\n", begin, described.name, in_quotes(described.sentence));
    }
    for (const auto* option : one->get_options()) {
      if (names_of(*option).empty())
        continue;
      text += begin;
      for (const auto& name : option->get_snames())
        text += " -s " + name;
      for (const auto& name : option->get_lnames())
        text += " -l " + name;
      const auto value = value_of(*option);
      if (!value.is_none)
        text += value.is_file
                    ? " -r -F"
                    : fmt::format(" -x -a {}",
                                  in_quotes(fmt::format("{}", fmt::join(value.words, " "))));
      text += fmt::format(" -d {}\n", in_quotes(option->get_description()));
    }
  }
  return text;
}

} // namespace

std::optional<std::string> completion_script(const CLI::App& app, std::string_view shell) {
  if (shell == "bash")
    return bash_script(app);
  if (shell == "zsh")
    return zsh_script(app);
  if (shell == "fish")
    return fish_script(app);
  return std::nullopt;
}

} // namespace acceptwatch
