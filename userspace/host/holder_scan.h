// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"
#include "host/procfs.h"

namespace acceptwatch {

/// A network namespace, and a process that is in it.
struct NetNamespace {
  uint32_t inode = 0;
  uint32_t pid = 0;
};

/// All network namespaces that a process is in, as far as /proc shows it.
[[nodiscard]] std::vector<NetNamespace> network_namespaces(const ProcFs& procfs);

/// Finds listeners, and the processes that hold them, by walking through /proc. For kernels without
/// the BPF iterator over descriptors, and where BPF is not allowed. Sees only network namespaces
/// that some process is in, and of other users' processes what /proc shows. These records have no
/// queue depths.
void scan_procfs(const ProcFs& procfs, const std::function<void(const aw_holder&)>& visit);

/// The listening sockets of a table such as /proc/net/tcp, with the depth of the
/// accept queue. The table does not have its limit. Empty where there is no such table.
[[nodiscard]] std::vector<aw_listener> listeners_of_table(const std::string& path);

} // namespace acceptwatch
