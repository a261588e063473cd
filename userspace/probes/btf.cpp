// SPDX-License-Identifier: Apache-2.0
#include "probes/btf.h"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <span>

namespace acceptwatch {
namespace {

std::optional<unsigned> prototype_arguments(const btf& types, __u32 id) {
  const btf_type* type = btf__type_by_id(&types, id);
  while (type && (btf_is_typedef(type) || btf_is_ptr(type)))
    type = btf__type_by_id(&types, type->type);
  if (!type || !btf_is_func_proto(type))
    return std::nullopt;
  return btf_vlen(type);
}

using Entries = std::span<const struct btf_enum>;

Entries enumerator_entries(const btf& types, const std::string& enum_name) {
  const int id = btf__find_by_name_kind(&types, enum_name.c_str(), BTF_KIND_ENUM);
  if (id < 0)
    return {};
  const btf_type* type = btf__type_by_id(&types, static_cast<__u32>(id));
  return {btf_enum(type), btf_vlen(type)};
}

std::optional<int> number_among(const btf& types, Entries entries, const std::string& name) {
  for (const auto& entry : entries) {
    if (name == btf__name_by_offset(&types, entry.name_off))
      return entry.val;
  }
  return std::nullopt;
}

} // namespace

void BtfDeleter::operator()(btf* types) const { btf__free(types); }

Btf load_kernel_btf() { return Btf{btf__load_vmlinux_btf()}; }

Result<Btf> load_btf_file(const std::string& path) {
  Btf types{btf__parse(path.c_str(), nullptr)};
  if (!types)
    return system_failure(fmt::format("cannot read type information from {}", path), errno,
                          "--btf wants a BTF file of the running kernel, raw or inside an ELF "
                          "file such as vmlinux.",
                          ExitStatus::usage);
  return types;
}

std::optional<unsigned> function_arguments(const btf& types, const std::string& name) {
  const int id = btf__find_by_name_kind(&types, name.c_str(), BTF_KIND_FUNC);
  if (id < 0)
    return std::nullopt;
  return prototype_arguments(types, btf__type_by_id(&types, static_cast<__u32>(id))->type);
}

bool takes_struct(const btf& types, const std::string& name) {
  const int id = btf__find_by_name_kind(&types, name.c_str(), BTF_KIND_FUNC);
  if (id < 0)
    return false;
  const btf_type* type =
      btf__type_by_id(&types, btf__type_by_id(&types, static_cast<__u32>(id))->type);
  if (btf_vlen(type) == 0)
    return false;
  type = btf__type_by_id(&types, btf_params(type)->type);
  while (btf_is_ptr(type) || btf_is_mod(type))
    type = btf__type_by_id(&types, type->type);
  return btf_is_struct(type);
}

std::optional<unsigned> tracepoint_arguments(const btf& types, const std::string& name) {
  const auto typedef_name = "btf_trace_" + name;
  const int id = btf__find_by_name_kind(&types, typedef_name.c_str(), BTF_KIND_TYPEDEF);
  if (id < 0)
    return std::nullopt;
  const auto count = prototype_arguments(types, static_cast<__u32>(id));
  return count && *count > 0 ? std::optional{*count - 1} : std::nullopt;
}

std::optional<int> enumerator(const btf& types, const std::string& enum_name,
                              const std::string& name) {
  return number_among(types, enumerator_entries(types, enum_name), name);
}

std::optional<int> enumerator_after(const btf& types, const std::string& first,
                                    const std::string& name) {
  for (__u32 id = 1; id < btf__type_cnt(&types); ++id) {
    const btf_type* type = btf__type_by_id(&types, id);
    if (!btf_is_enum(type) || type->name_off != 0 || btf_vlen(type) == 0)
      continue;
    if (first == btf__name_by_offset(&types, btf_enum(type)->name_off))
      return number_among(types, {btf_enum(type), btf_vlen(type)}, name);
  }
  return std::nullopt;
}

bool has_variable(const btf& types, const std::string& name) {
  return btf__find_by_name_kind(&types, name.c_str(), BTF_KIND_VAR) > 0;
}

std::map<int, std::string> enumerators(const btf& types, const std::string& enum_name) {
  std::map<int, std::string> names;
  for (const auto& entry : enumerator_entries(types, enum_name))
    names.emplace(entry.val, btf__name_by_offset(&types, entry.name_off));
  return names;
}

} // namespace acceptwatch
