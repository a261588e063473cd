// SPDX-License-Identifier: Apache-2.0
#include "probes/reasons.h"

namespace acceptwatch {
namespace {

using Names = std::map<int, std::string>;

Names names_without(std::string_view prefix, Names names) {
  for (auto& [number, name] : names) {
    if (name.starts_with(prefix))
      name.erase(0, prefix.size());
  }
  return names;
}

} // namespace

ReasonNames kernel_reason_names(const Features& features) {
  std::map<aw_reason_space, Names> spaces{
      {AW_SKB_DROP_REASON, names_without("SKB_DROP_REASON_", features.drop_reasons)},
      {AW_SK_RST_REASON, names_without("SK_RST_REASON_", features.reset_reasons)},
  };
  return [spaces = std::move(spaces)](aw_reason_space space,
                                      uint32_t number) -> std::optional<std::string_view> {
    const auto names = spaces.find(space);
    if (names == spaces.end())
      return std::nullopt;
    const auto name = names->second.find(static_cast<int>(number));
    return name == names->second.end() ? std::nullopt
                                       : std::optional<std::string_view>{name->second};
  };
}

} // namespace acceptwatch
