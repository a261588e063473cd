// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <cstdint>
#include <optional>
#include <string>

namespace acceptwatch {

/// How a listener, or a connection that was just accepted, ended, and which process did it.
struct ListenerEnd {
  aw_reason reason = AW_REASON_NONE; ///< AW_CLOSED, AW_EXITED, AW_KILLED or AW_SHUT_DOWN
  /// How that process ended, as wait(2) has it: with its listener, or soon after it had closed it.
  std::optional<uint32_t> exit_code;
  uint32_t pid = 0;
  std::string name; ///< empty: not known

  [[nodiscard]] std::optional<unsigned> exit_status() const;
  [[nodiscard]] std::optional<int> signal() const;
  [[nodiscard]] bool dumped_core() const;

  /// It ended because of a fault, or was killed: not as a process does that was told to.
  [[nodiscard]] bool is_death() const;
};

/// "SIGSEGV"
[[nodiscard]] std::string signal_name(int signal);

/// "SIGSEGV", "exit 1"; of a process that runs on: empty.
[[nodiscard]] std::string exit_text(const ListenerEnd& end);

} // namespace acceptwatch
