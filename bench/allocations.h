// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Calls of operator new since the start.
uint64_t allocations();
