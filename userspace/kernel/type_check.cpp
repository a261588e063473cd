// SPDX-License-Identifier: Apache-2.0
#include "kernel/type_check.h"

#include <algorithm>
#include <concepts>

namespace acceptwatch {
namespace {

/// The kernel's own are at most 20 deep.
constexpr unsigned most_steps = 64;

uint32_t kind_of(const TypeInfo& types, uint32_t id) {
  return id ? BTF_INFO_KIND(types.type(id).info) : uint32_t{BTF_KIND_UNKN};
}

const btf_array& array_of(const btf_type& type) {
  return *reinterpret_cast<const btf_array*>(&type + 1);
}

bool is_other_name(uint32_t kind) {
  return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
         kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

/// Of a function the type is its prototype, of a prototype what it returns.
bool names_a_type(uint32_t kind) {
  return is_other_name(kind) || kind == BTF_KIND_PTR || kind == BTF_KIND_FUNC ||
         kind == BTF_KIND_FUNC_PROTO || kind == BTF_KIND_VAR || kind == BTF_KIND_DECL_TAG;
}

/// Calls visit() with all types that a type names.
template <std::invocable<uint32_t> Visit>
void for_each_named(const TypeInfo& types, uint32_t id, const Visit& visit) {
  const btf_type& type = types.type(id);
  const uint32_t kind = kind_of(types, id);
  if (names_a_type(kind))
    visit(type.type);
  if (kind == BTF_KIND_ARRAY) {
    visit(array_of(type).type);
    visit(array_of(type).index_type);
  }
  if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION) {
    for (const auto& member : types.entries<btf_member>(type))
      visit(member.type);
  }
  if (kind == BTF_KIND_FUNC_PROTO) {
    for (const auto& parameter : types.entries<btf_param>(type))
      visit(parameter.type);
  }
}

bool contains_others(uint32_t kind) {
  return is_other_name(kind) || kind == BTF_KIND_ARRAY || kind == BTF_KIND_STRUCT ||
         kind == BTF_KIND_UNION;
}

bool is_of_chain(uint32_t kind) { return is_other_name(kind) || kind == BTF_KIND_PTR; }

/// Whether no way along the types that `leads` says lead on comes back to where it began, or is too
/// long. Types are taken off whose users are all taken off: what is on a circle is never.
template <std::predicate<uint32_t> Leads> bool ends(const TypeInfo& types, const Leads& leads) {
  std::vector<uint32_t> users(types.count() + 1);
  std::vector<unsigned> steps(types.count() + 1);
  const auto for_each_step = [&](uint32_t id, const auto& visit) {
    if (!leads(kind_of(types, id)))
      return;
    for_each_named(types, id, [&](uint32_t other) {
      if (leads(kind_of(types, other)))
        visit(other);
    });
  };
  for (uint32_t id = 1; id <= types.count(); ++id)
    for_each_step(id, [&](uint32_t other) { ++users[other]; });
  std::vector<uint32_t> free;
  for (uint32_t id = 1; id <= types.count(); ++id) {
    if (users[id] == 0)
      free.push_back(id);
  }
  uint32_t taken = 0;
  while (!free.empty()) {
    const uint32_t id = free.back();
    free.pop_back();
    ++taken;
    for_each_step(id, [&](uint32_t other) {
      steps[other] = std::max(steps[other], steps[id] + 1);
      if (--users[other] == 0)
        free.push_back(other);
    });
  }
  return taken == types.count() && std::ranges::max(steps) <= most_steps;
}

bool all_are_there(const TypeInfo& types) {
  bool there = true;
  for (uint32_t id = 1; id <= types.count(); ++id)
    for_each_named(types, id, [&](uint32_t other) { there = there && other <= types.count(); });
  return there;
}

} // namespace

bool is_sound(const TypeInfo& types) {
  return types.count() > 0 && all_are_there(types) && ends(types, contains_others) &&
         ends(types, is_of_chain);
}

} // namespace acceptwatch
