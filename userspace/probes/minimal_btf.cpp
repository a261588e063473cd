// SPDX-License-Identifier: Apache-2.0
#include "probes/minimal_btf.h"

#include "kernel/btf.h"
#include "probes/load_btf.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>

namespace acceptwatch {
namespace {

/// What libbpf gets. Empty: it reads the kernel's own.
std::vector<std::byte> minimal;

/// A program attaches to what follows the slash in its section's name.
void add_target(const bpf_program* program, std::vector<std::string>& names) {
  const std::string_view section = bpf_program__section_name(program);
  const std::string target{section.substr(std::min(section.find('/') + 1, section.size()))};
  for (const char* prefix : {"", "btf_trace_", "bpf_iter_"})
    names.push_back(prefix + target);
}

/// All names in the object's own type information: it refers to types of the kernel by these.
void add_names(bpf_object* object, std::vector<std::string>& names) {
  const btf* types = bpf_object__btf(object);
  for (__u32 id = 1; id < btf__type_cnt(types); ++id) {
    const char* name = btf__name_by_offset(types, btf__type_by_id(types, id)->name_off);
    if (name && *name)
      names.emplace_back(name);
  }
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) add_target(program, names);
}

} // namespace

Result<void> MinimalBtf::make_for(bpf_object* object, bpf_object* other) {
  if (!minimal.empty())
    return {};
  const auto loaded = load_kernel_btf();
  if (!loaded)
    return tl::unexpected{loaded.error()};
  if (!*loaded)
    return {};
  const TypeInfo& types = **loaded;
  std::vector<std::string> names;
  add_names(object, names);
  if (other)
    add_names(other, names);
  minimal = types.reduced_to(names);
  owns_ = true;
  return {};
}

MinimalBtf::~MinimalBtf() {
  if (owns_)
    minimal = std::vector<std::byte>{}; // "= {}" would keep the memory
}

} // namespace acceptwatch

// ld(1), --wrap: calls of NAME go to __wrap_NAME, and __real_NAME is the original.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" btf* __real_btf__load_vmlinux_btf();
extern "C" btf* __wrap_btf__load_vmlinux_btf() {
  using acceptwatch::minimal;
  return minimal.empty() ? __real_btf__load_vmlinux_btf()
                         : btf__new(minimal.data(), static_cast<__u32>(minimal.size()));
}

// Only CAP_SYS_ADMIN may ask which modules have type information. Before 1.5 libbpf fails then
// (load_module_btfs()), though all that is asked is whether a kernel function that may be missing
// is one of a module's: bpf_rdonly_cast(), which came with 6.2. That no module has it is true.
extern "C" int __real_bpf_btf_get_next_id(__u32 start_id, __u32* next_id);
extern "C" int __wrap_bpf_btf_get_next_id(__u32 start_id, __u32* next_id) {
  const int error = __real_bpf_btf_get_next_id(start_id, next_id);
  if (error == 0 || errno != EPERM)
    return error;
  errno = ENOENT;
  return -ENOENT;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
