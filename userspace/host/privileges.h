// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "kernel/features.h"

namespace acceptwatch {

/// What this process may do, from its effective capabilities.
void note_capabilities(Features& features);

/// Why capabilities are needed to the end.
struct StillNeeded {
  bool bpf = true;               ///< to read maps and start iterators: CAP_BPF
  bool writes_elsewhere = false; ///< output files that only CAP_DAC_OVERRIDE opens anew
  bool exceeds_file_max = false; ///< the host has no files left to open: CAP_SYS_ADMIN
};

/// Gives up, for good, all capabilities that are not needed once the probes are live: they are in
/// no set of this process any more, the bounding set included where it may be made smaller
/// (CAP_SETPCAP). Always kept: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (to read /proc/PID/fd of
/// other users' processes).
[[nodiscard]] Result<void> drop_privileges(const StillNeeded& for_what);

/// The file, and a new one in its place, can be opened for writing in the directory without
/// CAP_DAC_OVERRIDE.
[[nodiscard]] bool can_write_unprivileged(int directory, const std::string& file);

} // namespace acceptwatch
