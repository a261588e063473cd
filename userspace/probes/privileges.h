// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "probes/features.h"

namespace acceptwatch {

/// What this process may do, from its effective capabilities.
void note_capabilities(Features& features);

/// Gives up, for good, all that is not needed once the probes are live. Kept:
/// CAP_BPF (read maps, start an iterator on kernels where bpf(2) itself asks for
/// it), CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (/proc/PID/fd of other users), and
/// CAP_DAC_OVERRIDE if a file may have to be opened again.
[[nodiscard]] Result<void> drop_privileges(bool reopens_file);

} // namespace acceptwatch
