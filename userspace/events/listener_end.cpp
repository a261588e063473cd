// SPDX-License-Identifier: Apache-2.0
#include "events/listener_end.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <sys/wait.h>

namespace acceptwatch {
namespace {

/// Sent to a process that is to end in good order; a shell or a JVM makes an exit status of them.
constexpr std::array requests_to_end{SIGHUP, SIGINT, SIGTERM};
constexpr unsigned ended_by_signal = 128;

bool asks_to_end(int signal) {
  return std::ranges::find(requests_to_end, signal) != requests_to_end.end();
}

} // namespace

std::optional<unsigned> ListenerEnd::exit_status() const {
  if (!exit_code || signal())
    return std::nullopt;
  return WEXITSTATUS(*exit_code);
}

std::optional<int> ListenerEnd::signal() const {
  const uint32_t killed_by = WTERMSIG(exit_code.value_or(0));
  return killed_by ? std::optional{static_cast<int>(killed_by)} : std::nullopt;
}

bool ListenerEnd::dumped_core() const { return exit_code && WCOREDUMP(*exit_code); }

bool ListenerEnd::is_death() const {
  if (const auto killed_by = signal())
    return !asks_to_end(*killed_by);
  const unsigned status = exit_status().value_or(0);
  return status &&
         !(status > ended_by_signal && asks_to_end(static_cast<int>(status - ended_by_signal)));
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string exit_text(const ListenerEnd& end) {
  if (const auto signal = end.signal())
    return signal_name(*signal);
  const auto status = end.exit_status();
  return status ? fmt::format("exit {}", *status) : std::string{};
}

} // namespace acceptwatch
