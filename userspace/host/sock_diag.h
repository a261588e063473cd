// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"
#include "base/error.h"

#include <vector>

namespace acceptwatch {

struct PolledListener {
  aw_listener listener{}; ///< the SYN queue is not known to sock_diag
  uint32_t drops = 0;     ///< sk_drops: more than lost connections count there
  bool has_limit = false; ///< listener.accept_limit is known
};

/// The listening TCP sockets of this network namespace, by sock_diag(7); from
/// /proc/net/tcp, without drops, where the kernel has no inet_diag.
[[nodiscard]] Result<std::vector<PolledListener>> poll_listeners();

} // namespace acceptwatch
