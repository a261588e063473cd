// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"
#include "base/error.h"
#include "kernel/features.h"

#include <string>

namespace acceptwatch {

/// Would this tier work here? If not: why, and which exit status that is.
struct Availability {
  bool available = false;
  Error why;
};

[[nodiscard]] Availability availability(const Features& features, aw_source tier);

/// Which of CAP_BPF and CAP_PERFMON: "CAP_BPF is missing". One of them is.
[[nodiscard]] std::string missing_capabilities(const Features& features);

/// "WHAT is refused: Operation not permitted"
[[nodiscard]] std::string refused(const char* what, const Attempt& attempt);

} // namespace acceptwatch
