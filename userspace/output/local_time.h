// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <string>

namespace acceptwatch {

// In the time zone of the process, for people.

/// 2026-11-22 13:17:03
[[nodiscard]] std::string local_date_and_time(Timestamp time);

/// 13:17:03.120
[[nodiscard]] std::string local_time_of_day(Timestamp time);

} // namespace acceptwatch
