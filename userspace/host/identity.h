// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace acceptwatch {

/// The host's own name, as uname(2) has it.
[[nodiscard]] std::string host_name();

/// Of this start of the kernel, as `journalctl --list-boots` has it; empty: not known.
[[nodiscard]] std::string boot_id();

} // namespace acceptwatch
