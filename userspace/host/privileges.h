// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "kernel/features.h"

namespace acceptwatch {

/// What this process may do, from its effective capabilities.
void note_capabilities(Features& features);

/// Gives up, for good, all that is not needed once the probes are live. Kept:
/// CAP_BPF (read maps, start an iterator on kernels where bpf(2) itself asks for
/// it), CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (/proc/PID/fd of other users), and
/// CAP_DAC_OVERRIDE if a file may have to be opened again; CAP_SYS_ADMIN if the host has as
/// many files open as fs.file-max allows, for nothing could be looked at without.
struct StillNeeded {
  bool reopens_file = false;
  bool exceeds_file_max = false;
};
[[nodiscard]] Result<void> drop_privileges(const StillNeeded& for_what);

} // namespace acceptwatch
