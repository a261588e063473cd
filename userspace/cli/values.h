// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <bitset>
#include <cstdint>
#include <string_view>

namespace acceptwatch {

// Values of options. The errors do not name the option: the caller puts it in front.

/// "80", "80,443", "http,8000-8010": ports 1 to 65535, or names of services(5).
[[nodiscard]] Result<std::bitset<65536>> parse_ports(std::string_view text);

/// "listen_drop,reset_sent": a bit (1 << aw_action) for each.
[[nodiscard]] Result<uint32_t> parse_actions(std::string_view text);

/// "90", "0.5", "500ms", "5m", "1h": seconds, 0 or more.
[[nodiscard]] Result<double> parse_seconds(std::string_view text);

/// A name of `ip netns`, a path to a network namespace, a pid, or the namespace's inode number,
/// which is above every pid.
[[nodiscard]] Result<uint32_t> parse_netns(std::string_view text);

} // namespace acceptwatch
