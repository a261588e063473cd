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

/// Nothing waits for the listener's connections, and nothing keeps the program from it: it has
/// stopped to accept by itself.
[[nodiscard]] bool is_paused(const OwnerState& state);

/// The share of periods in which the CPU quota was used up, in percent: since the last look, else
/// in the cgroup's lifetime while there is CPU pressure. Absent: not enough to explain anything.
[[nodiscard]] std::optional<double> throttled_percent(const OwnerState& state);

/// What 80 columns leave beside the time.
inline constexpr size_t state_width = 67;

/// Why the owner does not accept, for people: the most telling fact, or two. As many words as there
/// is room for.
[[nodiscard]] std::string sentence_of(const OwnerState& state, size_t width = state_width);

/// Where in the kernel the threads are that the sentence is about, in a line: "in wait_woken <-
/// sk_wait_data", the innermost function first, as many as there is room for. Empty: it is not
/// known.
[[nodiscard]] std::string stack_of(const ThreadStates& threads);

} // namespace acceptwatch
