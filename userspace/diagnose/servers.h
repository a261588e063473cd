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

/// The setting of a well-known server that limits its connections, and where: without a full stop.
/// Absent: the program is none of these, or has no such limit.
[[nodiscard]] std::optional<std::string_view> connection_limit(std::string_view process);

/// What a well-known server does that keeps it from accepting while it is busy, and what to change:
/// without a full stop.
[[nodiscard]] std::optional<std::string_view> busy_by(std::string_view process);

/// The setting of one that closes its listener for a while when too many connections come.
[[nodiscard]] std::optional<std::string_view> rate_limit(std::string_view process);

/// Why a well-known server closes connections right after accept(), and what to change: a part of a
/// sentence. Absent: the program is none of these.
[[nodiscard]] std::optional<std::string_view> turns_away_by(std::string_view process);

/// Whether it writes a sentence to the client first, or waits for none of its own.
[[nodiscard]] bool writes_before_it_turns_away(std::string_view process);

/// The setting by which a well-known server sets its own limit of descriptors, so that
/// LimitNOFILE= changes nothing.
[[nodiscard]] std::optional<std::string_view> descriptor_setting(std::string_view process);

} // namespace acceptwatch
