// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace acceptwatch {

/// Help in 80 columns: long sentences go on in the second column.
class HelpFormat : public CLI::Formatter {
public:
  /// Those that are options as well stand there.
  [[nodiscard]] std::string make_positionals(const CLI::App* app) const override;
  [[nodiscard]] std::string make_option(const CLI::Option* option,
                                        bool is_positional) const override;
  [[nodiscard]] std::string make_subcommand(const CLI::App* command) const override;
};

} // namespace acceptwatch
