// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/stage.h"

namespace acceptwatch::scenarios {

// At least that many handshakes with fates that are drawn at random: the same for the same seed.
Scenario storm_of(uint64_t seed, size_t handshakes);

} // namespace acceptwatch::scenarios
