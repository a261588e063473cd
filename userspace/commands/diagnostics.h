// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <string_view>

namespace acceptwatch {

// Standard error, for people. Records never go there. What it does not take is left out.

/// The one place that prints errors.
void print_error(const Error& error);
void print_note(std::string_view text);
/// Whole lines, as they are.
void print_text(std::string_view lines);

} // namespace acceptwatch
