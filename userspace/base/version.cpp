// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

#include <fmt/format.h>

namespace acceptwatch {

std::string_view version() { return ACCEPTWATCH_VERSION; }

std::string build_description() {
  constexpr std::string_view commit = ACCEPTWATCH_COMMIT;
  return fmt::format("acceptwatch {} ({}libbpf {}, {})", version(),
                     commit.empty() ? "" : fmt::format("commit {}, ", commit), ACCEPTWATCH_LIBBPF,
                     ACCEPTWATCH_ARCHITECTURE);
}

} // namespace acceptwatch
