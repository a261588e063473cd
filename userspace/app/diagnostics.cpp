// SPDX-License-Identifier: Apache-2.0
#include "app/diagnostics.h"

#include "base/text.h"

#include <cstdio>
#include <fmt/format.h>

namespace acceptwatch {

void print_error(const Error& error) {
  fmt::print(stderr, "acceptwatch: {}.\n", printable(error.what));
  if (!error.advice.empty())
    fmt::print(stderr, "{}\n", printable(error.advice));
}

void print_note(std::string_view text) { fmt::print(stderr, "acceptwatch: {}\n", text); }

void print_text(std::string_view lines) { fmt::print(stderr, "{}", lines); }

} // namespace acceptwatch
