// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace acceptwatch {

/// Whether this kernel takes a SYN queue for full at its limit (5.10: `>=`) or
/// above it (later: `>`), in inet_csk_reqsk_queue_is_full(). Type information does not show it, so
/// it is tried: one SYN to a listen(fd, 0) socket, in a new network namespace. Absent where no
/// namespace can be made.
[[nodiscard]] std::optional<bool> syn_queue_full_at_limit();

} // namespace acceptwatch
