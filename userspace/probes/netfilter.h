// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "kernel/features.h"
#include "kernel/type_info.h"

namespace acceptwatch {

/// Absent: it is not loaded, or has no type information (modules: 5.11).
[[nodiscard]] std::optional<NetfilterTypes> find_netfilter_types(const TypeInfo& kernel);

/// While it lives, programs whose section begins with "fentry_of_module/" or "fexit_of_module/"
/// are loaded for nft_do_chain().
///
/// libbpf finds a module's function as well, but reads and keeps the type information of all
/// modules for that: megabytes.
class NetfilterTarget {
public:
  /// Before an object with such a section is opened.
  static void name_section();

  /// Asks for CAP_SYS_ADMIN where nf_tables is a module (BPF_BTF_GET_NEXT_ID).
  explicit NetfilterTarget(const NetfilterTypes& types);
  ~NetfilterTarget();
  NetfilterTarget(const NetfilterTarget&) = delete;
  NetfilterTarget& operator=(const NetfilterTarget&) = delete;

  /// False: the module's type information is not to be had.
  [[nodiscard]] bool is_found() const { return found_; }

private:
  UniqueFd module_; ///< its type information
  bool found_ = true;
};

} // namespace acceptwatch
