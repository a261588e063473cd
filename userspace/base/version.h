// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace acceptwatch {

/// The version this binary was built as.
[[nodiscard]] std::string_view version();

/// "acceptwatch 0.1.0 (commit 1234567890ab, libbpf 1.1.2, x86_64)", for a person. Without the
/// commit where it was not built from a repository.
[[nodiscard]] std::string build_description();

} // namespace acceptwatch
