// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "kernel/features.h"

namespace acceptwatch {

/// What this process may do, from its effective capabilities.
void note_capabilities(Features& features);

/// Why some capabilities are needed to the end.
struct StillNeeded {
  bool reopens_file = false;     ///< an output file, later: CAP_DAC_OVERRIDE
  bool exceeds_file_max = false; ///< the host has no files left to open: CAP_SYS_ADMIN
};

/// Gives up, for good, all capabilities that are not needed once the probes are live. Always kept:
/// CAP_BPF (to read maps, and to start an iterator on kernels where bpf(2) asks for it), and
/// CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (to read /proc/PID/fd of other users' processes).
[[nodiscard]] Result<void> drop_privileges(const StillNeeded& for_what);

} // namespace acceptwatch
