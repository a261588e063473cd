// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"

#include <optional>
#include <string_view>

namespace acceptwatch {

/// What a counter means for a listener when it has grown. The kernel counts it for a network
/// namespace or for the host, so nobody saw whose packets these were. docs/counters.md has the same
/// table, and a test compares the two.
struct EvidenceMeaning {
  EvidenceCounter counter{};
  std::string_view cause;  ///< in the table of causes (causes.h)
  std::string_view what;   ///< of so many packets or connections
  std::string_view advice; ///< a sentence that names what to look at
};

[[nodiscard]] const EvidenceMeaning& meaning_of(EvidenceCounter counter);

} // namespace acceptwatch
