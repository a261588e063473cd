// SPDX-License-Identifier: Apache-2.0
#include "probes/netfilter.h"

#include "kernel/btf.h"
#include "probes/load_btf.h"

#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace acceptwatch {
namespace {

constexpr const char* module_name = "nf_tables";

/// For prepare(), which libbpf calls.
struct {
  int module = 0; ///< descriptor of its type information; 0: the kernel's own
  uint32_t function = 0;
} target;

int prepare(bpf_program*, bpf_prog_load_opts* options, long) {
  options->attach_btf_obj_fd = static_cast<__u32>(target.module);
  options->attach_btf_id = target.function;
  return 0;
}

std::optional<NetfilterTypes> types_in(const TypeInfo& types) {
  const auto arguments = function_arguments(types, "nft_do_chain");
  const auto function = types.find("nft_do_chain", BTF_KIND_FUNC);
  const auto pktinfo_skb = member_offset(types, "nft_pktinfo", "skb");
  const auto chain_table = member_offset(types, "nft_chain", "table");
  const auto chain_name = member_offset(types, "nft_chain", "name");
  const auto table_name = member_offset(types, "nft_table", "name");
  if (arguments != 2U || !pktinfo_skb || !chain_table || !chain_name || !table_name)
    return std::nullopt;
  return NetfilterTypes{false, *function, {*pktinfo_skb, *chain_table, *chain_name, *table_name}};
}

UniqueFd type_information_of(std::string_view module) {
  for (__u32 id = 0; bpf_btf_get_next_id(id, &id) == 0;) {
    UniqueFd fd{bpf_btf_get_fd_by_id(id)};
    std::array<char, 64> name{};
    bpf_btf_info info{};
    info.name = reinterpret_cast<__u64>(name.data());
    info.name_len = name.size();
    __u32 size = sizeof(info);
    if (fd && bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0 && info.kernel_btf &&
        module == name.data())
      return fd;
  }
  return {};
}

} // namespace

std::optional<NetfilterTypes> find_netfilter_types(const TypeInfo& kernel) {
  const auto module = load_module_btf(module_name, kernel);
  auto types = types_in(module ? *module : kernel);
  if (types)
    types->is_module = module.has_value();
  return types;
}

void NetfilterTarget::name_section() {
  static const bool named = [] {
    LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare);
    for (const auto& [section, type] : {std::pair{"fentry_of_module+", BPF_TRACE_FENTRY},
                                        std::pair{"fexit_of_module+", BPF_TRACE_FEXIT}})
      libbpf_register_prog_handler(section, BPF_PROG_TYPE_TRACING, type, &options);
    return true;
  }();
  static_cast<void>(named);
}

NetfilterTarget::NetfilterTarget(const NetfilterTypes& types) {
  if (types.is_module) {
    module_ = type_information_of(module_name);
    found_ = static_cast<bool>(module_);
  }
  target = {module_ ? module_.get() : 0, types.function};
}

NetfilterTarget::~NetfilterTarget() { target = {}; }

} // namespace acceptwatch
