// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/listed.h"
#include "host/procfs.h"

#include <functional>

namespace acceptwatch {

/// Shows every listener that is to be seen without BPF: sock_diag(7) in each
/// network namespace that some process is in. Namespaces that must not be entered
/// (CAP_SYS_ADMIN) show their /proc/PID/net/tcp, without limits and drops. How
/// deep a SYN queue is, and who holds a listener, is not known here.
/// Moves the calling thread from one namespace to the other, and back.
void survey_listeners(const ProcFs& procfs, const std::function<void(const Listed&)>& visit);

} // namespace acceptwatch
