// SPDX-License-Identifier: Apache-2.0
#include "kernel/features.h"

#include "base/text.h"

#include <algorithm>

namespace acceptwatch {

bool names_module(std::string_view modules, std::string_view module) {
  const auto names = split(modules, ',');
  return std::ranges::find(names, module) != names.end();
}

} // namespace acceptwatch
