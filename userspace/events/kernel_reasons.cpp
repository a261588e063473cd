// SPDX-License-Identifier: Apache-2.0
#include "events/kernel_reasons.h"

namespace acceptwatch {

ReasonNames KernelReasons::names() const {
  return [drop = drop, reset = reset](aw_reason_space space,
                                      uint32_t number) -> std::optional<std::string_view> {
    if (space != AW_SKB_DROP_REASON && space != AW_SK_RST_REASON)
      return std::nullopt;
    const auto& names = space == AW_SKB_DROP_REASON ? drop : reset;
    const auto name = names.find(number);
    return name == names.end() ? std::nullopt : std::optional<std::string_view>{name->second};
  };
}

} // namespace acceptwatch
