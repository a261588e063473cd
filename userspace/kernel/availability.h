// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"
#include "base/error.h"
#include "kernel/features.h"

#include <string>

namespace acceptwatch {

/// Whether a tier works here. If not, `why` has the reason and the exit status.
struct Availability {
  bool available = false;
  Error why;
};

[[nodiscard]] Availability availability(const Features& features, aw_source tier);

/// "CAP_BPF is missing": which of CAP_BPF and CAP_PERFMON this process lacks. Call it if it does.
[[nodiscard]] std::string missing_capabilities(const Features& features);

/// "WHAT is refused: Operation not permitted"
[[nodiscard]] std::string refused(const char* what, const Attempt& attempt);

} // namespace acceptwatch
