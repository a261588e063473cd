// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/decode.h"

#include <map>
#include <string>

namespace acceptwatch {

/// The running kernel's names of drop and reset reasons, whose numbers move from one version to
/// the next: by number, without the prefix that all of them have.
struct KernelReasons {
  std::map<uint32_t, std::string> drop;
  std::map<uint32_t, std::string> reset;

  /// Names live as long as what is returned.
  [[nodiscard]] ReasonNames names() const;
};

} // namespace acceptwatch
