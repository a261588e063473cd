// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "commands/options.h"

#include <variant>

namespace acceptwatch {

/// Text that answers the command line by itself, such as --help.
struct Answer {
  std::string text;
};

[[nodiscard]] Result<std::variant<Options, Answer>> parse_command_line(int argc,
                                                                       const char* const* argv);

} // namespace acceptwatch
