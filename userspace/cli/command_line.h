// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/typed.h"
#include "commands/options.h"

#include <CLI/CLI.hpp>

namespace acceptwatch {

/// "explain", "list", ...
[[nodiscard]] std::vector<std::string> command_names(const CLI::App& app);

/// The commands and options, from which parsing, help and completions are made. What is typed is
/// left in `options` where it needs no interpretation, else in `typed`.
struct CommandLine {
  CommandLine();
  CommandLine(const CommandLine&) = delete; ///< the options point into it
  CommandLine& operator=(const CommandLine&) = delete;

  /// "acceptwatch list --help": where the options of the command that was typed are.
  [[nodiscard]] std::string help_command() const;
  /// The command that was typed, or the one without a name.
  [[nodiscard]] const CLI::App& typed_command() const;
  [[nodiscard]] std::string help_of(const CLI::App& command) const;

  Options options;
  Typed typed;
  std::string shell;       ///< of `completion`
  std::string help_wanted; ///< of `help`: a command's name; empty: the whole
  CLI::App app;
  CLI::App* explain = nullptr;
  CLI::App* list = nullptr;
  CLI::App* check = nullptr;
  CLI::App* completion = nullptr;
  CLI::App* version = nullptr;
  CLI::App* help = nullptr;

private:
  void add_watch_options();
  void add_explain();
  void add_list();
  void add_check();
  void add_answers();
};

} // namespace acceptwatch
