// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "cli/command_line.h"

namespace acceptwatch {

/// Turns what was typed into Options. Errors are of wrong usage, and name the option.
[[nodiscard]] Result<void> interpret(CommandLine& line);

/// An error of wrong usage, with where the options are.
[[nodiscard]] tl::unexpected<Error> wrong(const CommandLine& line, std::string what);

} // namespace acceptwatch
