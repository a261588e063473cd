// SPDX-License-Identifier: Apache-2.0
#include "kernel/btf.h"

#include <span>

namespace acceptwatch {
namespace {

std::optional<unsigned> prototype_arguments(const TypeInfo& types, uint32_t id) {
  while (id && id <= types.count()) {
    const btf_type& type = types.type(id);
    switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_PTR:
      id = type.type;
      break;
    case BTF_KIND_FUNC_PROTO:
      return BTF_INFO_VLEN(type.info);
    default:
      return std::nullopt;
    }
  }
  return std::nullopt;
}

using Entries = std::span<const struct btf_enum>;

Entries enumerator_entries(const TypeInfo& types, const std::string& enum_name) {
  const auto id = types.find(enum_name, BTF_KIND_ENUM);
  return id ? types.entries<struct btf_enum>(types.type(*id)) : Entries{};
}

std::optional<int> number_among(const TypeInfo& types, Entries entries, const std::string& name) {
  for (const auto& entry : entries) {
    if (name == types.name(entry.name_off))
      return entry.val;
  }
  return std::nullopt;
}

} // namespace

std::optional<unsigned> function_arguments(const TypeInfo& types, const std::string& name) {
  const auto id = types.find(name, BTF_KIND_FUNC);
  return id ? prototype_arguments(types, types.type(*id).type) : std::nullopt;
}

std::map<std::string, unsigned> function_arguments(const TypeInfo& types,
                                                   const std::vector<std::string>& names) {
  std::map<std::string, unsigned> arguments;
  for (const auto& [name, id] : types.find_all(names, BTF_KIND_FUNC)) {
    if (const auto count = prototype_arguments(types, types.type(id).type))
      arguments.emplace(name, *count);
  }
  return arguments;
}

std::optional<uint16_t> member_offset(const TypeInfo& types, const char* structure,
                                      std::string_view member) {
  const auto id = types.find(structure, BTF_KIND_STRUCT);
  if (!id)
    return std::nullopt;
  for (const auto& entry : types.entries<btf_member>(types.type(*id))) {
    if (types.name(entry.name_off) == member)
      return static_cast<uint16_t>(BTF_MEMBER_BIT_OFFSET(entry.offset) / 8);
  }
  return std::nullopt;
}

bool takes_struct(const TypeInfo& types, const std::string& name) {
  const auto function = types.find(name, BTF_KIND_FUNC);
  const uint32_t prototype_id = function ? types.type(*function).type : 0;
  if (prototype_id == 0 || prototype_id > types.count() ||
      BTF_INFO_KIND(types.type(prototype_id).info) != BTF_KIND_FUNC_PROTO)
    return false;
  const auto arguments = types.entries<btf_param>(types.type(prototype_id));
  uint32_t id = arguments.empty() ? 0 : arguments.front().type;
  while (id && id <= types.count()) {
    const btf_type& type = types.type(id);
    switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_PTR:
    case BTF_KIND_CONST:
      id = type.type;
      break;
    default:
      return BTF_INFO_KIND(type.info) == BTF_KIND_STRUCT;
    }
  }
  return false;
}

std::map<std::string, unsigned> tracepoint_arguments(const TypeInfo& types,
                                                     const std::vector<std::string>& names) {
  constexpr std::string_view prefix = "btf_trace_";
  std::vector<std::string> typedefs;
  typedefs.reserve(names.size());
  for (const auto& name : names)
    typedefs.push_back(std::string{prefix} + name);
  std::map<std::string, unsigned> arguments;
  for (const auto& [name, id] : types.find_all(typedefs, BTF_KIND_TYPEDEF)) {
    const auto count = prototype_arguments(types, id);
    if (count && *count > 0)
      arguments.emplace(name.substr(prefix.size()), *count - 1);
  }
  return arguments;
}

std::optional<int> enumerator(const TypeInfo& types, const std::string& enum_name,
                              const std::string& name) {
  return number_among(types, enumerator_entries(types, enum_name), name);
}

std::optional<int> enumerator_after(const TypeInfo& types, const std::string& first,
                                    const std::string& name) {
  for (uint32_t id = 1; id <= types.count(); ++id) {
    const btf_type& type = types.type(id);
    if (BTF_INFO_KIND(type.info) != BTF_KIND_ENUM || type.name_off != 0)
      continue;
    const auto entries = types.entries<struct btf_enum>(type);
    if (!entries.empty() && first == types.name(entries.front().name_off))
      return number_among(types, entries, name);
  }
  return std::nullopt;
}

bool has_variable(const TypeInfo& types, const std::string& name) {
  return types.find(name, BTF_KIND_VAR).has_value();
}

std::map<int, std::string> enumerators(const TypeInfo& types, const std::string& enum_name) {
  std::map<int, std::string> names;
  for (const auto& entry : enumerator_entries(types, enum_name))
    names.emplace(entry.val, types.name(entry.name_off));
  return names;
}

} // namespace acceptwatch
