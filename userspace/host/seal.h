// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <vector>

namespace acceptwatch {

/// What a run goes on needing.
struct SealNeeds {
  bool bpf = true;        ///< maps, links and iterators; never a new program
  bool sock_diag = false; ///< netlink sockets
  std::vector<int>
      directories; ///< descriptors: files are opened for writing relative to these alone
};

/// Closes this process off, for good: no privilege can be had back by exec, no core is written, no
/// other process may look in, and of system calls only those on a list are let through. One that is
/// not on it fails with EPERM, and is said on standard error, once each. False: this kernel has no
/// such filters (CONFIG_SECCOMP_FILTER); the rest holds.
[[nodiscard]] Result<bool> seal_process(const SealNeeds& needs);

} // namespace acceptwatch
