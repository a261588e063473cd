// SPDX-License-Identifier: Apache-2.0
#include "commands/diagnostics.h"

#include "base/text.h"

#include <climits>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// What is not taken is left out: nothing that is said to a person may stop the watch, or end it.
/// A pipe that is writable takes PIPE_BUF bytes at least.
void say(std::string_view text) {
  while (!text.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
      return;
    const ssize_t n = write(STDERR_FILENO, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (n <= 0)
      return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

} // namespace

void print_error(const Error& error) {
  say(fmt::format("acceptwatch: {}.\n{}{}", printable(error.what), printable(error.advice),
                  error.advice.empty() ? "" : "\n"));
}

void print_note(std::string_view text) { say(fmt::format("acceptwatch: {}\n", text)); }

void print_text(std::string_view lines) { say(lines); }

} // namespace acceptwatch
