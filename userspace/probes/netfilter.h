// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "kernel/features.h"
#include "kernel/type_info.h"

namespace acceptwatch {

/// Absent: it is not loaded, or has no type information (modules: 5.11).
[[nodiscard]] std::optional<NetfilterTypes> find_netfilter_types(const TypeInfo& kernel);

/// While this object lives, programs in sections "fentry_of_module/..." and "fexit_of_module/..."
/// are loaded for nft_do_chain().
///
/// libbpf can find functions of modules by itself, but it reads the type information of all modules
/// for that and keeps it: megabytes.
class NetfilterTarget {
public:
  /// Tells libbpf of these sections. To be called before it opens an object that has one.
  static void name_section();

  /// Needs CAP_SYS_ADMIN where nf_tables is a module (for BPF_BTF_GET_NEXT_ID).
  explicit NetfilterTarget(const NetfilterTypes& types);
  ~NetfilterTarget();
  NetfilterTarget(const NetfilterTarget&) = delete;
  NetfilterTarget& operator=(const NetfilterTarget&) = delete;

  /// False: the module's type information was not found.
  [[nodiscard]] bool is_found() const { return found_; }

private:
  UniqueFd module_; ///< its type information
  bool found_ = true;
};

} // namespace acceptwatch
