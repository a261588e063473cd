// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace acceptwatch {

/// Whether this kernel takes a SYN queue for full at its limit (5.10: `>=`) or
/// above it (later: `>`), in inet_csk_reqsk_queue_is_full(). No type information
/// shows that, so one SYN is sent to a listen(fd, 0) socket in a network
/// namespace that exists for this alone. Absent where no namespace can be made.
[[nodiscard]] std::optional<bool> syn_queue_full_at_limit();

} // namespace acceptwatch
