// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/listed.h"
#include "host/procfs.h"

#include <functional>

namespace acceptwatch {

/// Calls `visit` for every listener that can be found without BPF: by sock_diag(7), in each network
/// namespace that some process is in. The calling thread enters these one after the other and comes
/// back. Without CAP_SYS_ADMIN it may not; then /proc/PID/net/tcp is read, which has no limits and
/// no drops. Neither has the depth of SYN queues, or tells which processes hold a listener.
void survey_listeners(const ProcFs& procfs, const std::function<void(const Listed&)>& visit);

} // namespace acceptwatch
