// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/facts.h"

#include <string>

namespace acceptwatch {

/// What the owner's threads do, weighed over the incident, and in how many of the looks. Empty: it
/// was not looked at.
[[nodiscard]] std::string state_text(const Facts& facts);

/// What to do about a server that does not accept, by what it does instead. Empty: that tells
/// nothing.
[[nodiscard]] std::string advice_for_state(const Facts& facts);

/// It does nothing at all, or has stopped to accept by itself.
[[nodiscard]] bool stands_still(const Facts& facts);

} // namespace acceptwatch
