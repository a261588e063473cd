// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "output/check.h"

namespace acceptwatch {

/// docs/events.md lists what is watched for; the rest of the interface is here.
extern const std::vector<Unwatched> unwatched;

} // namespace acceptwatch
