// SPDX-License-Identifier: Apache-2.0
#include "probes/reasons.h"

#include "probes/btf.h"

#include <map>
#include <memory>

namespace acceptwatch {
namespace {

struct Space {
  const char* enum_name;
  std::string_view prefix;
};

std::optional<Space> space_of(aw_reason_space space) {
  switch (space) {
  case AW_SKB_DROP_REASON:
    return Space{"skb_drop_reason", "SKB_DROP_REASON_"};
  case AW_SK_RST_REASON:
    return Space{"sk_rst_reason", "SK_RST_REASON_"};
  default:
    return std::nullopt;
  }
}

std::optional<std::string> look_up(const btf& types, aw_reason_space space, uint32_t number) {
  const auto names = space_of(space);
  if (!names)
    return std::nullopt;
  auto name = enumerator_name(types, names->enum_name, static_cast<int>(number));
  if (name && name->starts_with(names->prefix))
    name->erase(0, names->prefix.size());
  return name;
}

} // namespace

ReasonNames kernel_reason_names(const std::string& btf_file) {
  std::shared_ptr<btf> types = load_kernel_btf();
  if (!types && !btf_file.empty()) {
    if (auto loaded = load_btf_file(btf_file))
      types = std::move(*loaded);
  }
  // A name is looked up once: the search goes through all of the types.
  using Key = std::pair<aw_reason_space, uint32_t>;
  auto known = std::make_shared<std::map<Key, std::optional<std::string>>>();
  return [types, known](aw_reason_space space, uint32_t number) -> std::optional<std::string> {
    const Key key{space, number};
    const auto found = known->find(key);
    if (found != known->end())
      return found->second;
    auto name = types ? look_up(*types, space, number) : std::nullopt;
    known->emplace(key, name);
    return name;
  };
}

} // namespace acceptwatch
