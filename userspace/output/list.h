// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/listed.h"
#include "output/json_parts.h"

namespace acceptwatch {

// What `acceptwatch list` prints, in the order given.

/// One JSON object a line, keys as in event records.
[[nodiscard]] std::string list_as_ndjson(const std::vector<Listed>& listeners,
                                         const Origin& origin);

/// Aligned columns: 80 characters, or as `wide` as all of them need.
///
///     PORT ADDRESS   PROCESS      ACCEPTQ FROM       SYNQ DROPS
///     8080 127.0.0.1 python3/8675     2/2 listen()    0/2     4
[[nodiscard]] std::string list_as_text(const std::vector<Listed>& listeners, bool wide);

} // namespace acceptwatch
