// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace acceptwatch::scenarios {

using Clock = std::chrono::steady_clock;

// Generous, because an emulated CPU under load is slow; only a failing test ever waits that long.
inline constexpr std::chrono::seconds patience{60};

// Returns as soon as `seen` is true; throws Failure naming the sign that never came.
void wait_for(const std::string& sign, const std::function<bool()>& seen,
              std::chrono::milliseconds limit = patience);

// True as soon as `fd` is readable (or at its end), false when the time is over.
bool readable(int fd, std::chrono::milliseconds limit);

} // namespace acceptwatch::scenarios
