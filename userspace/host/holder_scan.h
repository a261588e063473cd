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

/// Those that processes are in, as far as /proc shows it.
[[nodiscard]] std::vector<NetNamespace> network_namespaces(const ProcFs& procfs);

/// Finds listeners and their holders by walking /proc: what is left where the
/// kernel allows no iterator that does, or BPF is not to be had.
/// Sees the network namespaces that processes are in, and no more of other
/// users' processes than /proc shows. Queue depths are not in these records.
void scan_procfs(const ProcFs& procfs, const std::function<void(const aw_holder&)>& visit);

/// The listening sockets of a table such as /proc/net/tcp, with the depth of the
/// accept queue; its limit is not in there. A missing table has none.
[[nodiscard]] std::vector<aw_listener> listeners_of_table(const std::string& path);

} // namespace acceptwatch
