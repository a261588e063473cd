// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <string>
#include <string_view>

namespace acceptwatch {

/// As the key of a record has it: "socket_read".
[[nodiscard]] std::string_view name_of(Activity activity);

/// Why the owner does not accept, for people: the most telling fact, or two.
[[nodiscard]] std::string sentence_of(const OwnerState& state);

} // namespace acceptwatch
