// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace acceptwatch {

/// The script that completes commands, options and those values that are words, for "bash", "zsh"
/// or "fish". Absent: there is none for that shell.
[[nodiscard]] std::optional<std::string> completion_script(const CLI::App& app,
                                                           std::string_view shell);

} // namespace acceptwatch
