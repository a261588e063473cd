// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace acceptwatch {

/// A backlog that a well-known server asks for where nobody configured one.
struct DefaultBacklog {
  std::string_view process; ///< begin of the process's name
  uint32_t backlog;
  std::string_view name;    ///< for people
  std::string_view setting; ///< what to change, without a full stop
};

/// The default that explains this limit. Absent: none is known.
[[nodiscard]] std::optional<DefaultBacklog> default_backlog(std::string_view process,
                                                            uint32_t limit);

} // namespace acceptwatch
