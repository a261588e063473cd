// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <string>
#include <string_view>

namespace acceptwatch {

/// As the key of a record has it: "socket_read".
[[nodiscard]] std::string_view name_of(Activity activity);

/// Keeps a thread from accepting. What else threads do may be for lack of work.
[[nodiscard]] bool is_telling(Activity activity);

/// Why the owner does not accept, for people: the most telling fact, or two.
[[nodiscard]] std::string sentence_of(const OwnerState& state);

/// Where in the kernel the threads are that the sentence is about, in a line: "in wait_woken <-
/// sk_wait_data", the innermost function first, as many as there is room for. Empty: it is not
/// known.
[[nodiscard]] std::string stack_of(const ThreadStates& threads);

} // namespace acceptwatch
