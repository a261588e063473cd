// SPDX-License-Identifier: Apache-2.0
#include "kernel/reasons.h"

namespace acceptwatch {
namespace {

std::map<uint32_t, std::string> without(std::string_view prefix,
                                        const std::map<int, std::string>& names) {
  std::map<uint32_t, std::string> found;
  for (const auto& [number, name] : names)
    found.emplace(static_cast<uint32_t>(number),
                  name.starts_with(prefix) ? name.substr(prefix.size()) : name);
  return found;
}

} // namespace

KernelReasons kernel_reasons(const Features& features) {
  return {without("SKB_DROP_REASON_", features.drop_reasons),
          without("SK_RST_REASON_", features.reset_reasons)};
}

} // namespace acceptwatch
