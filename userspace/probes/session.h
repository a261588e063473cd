// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/plan.h"
#include "probes/record_source.h"

#include <bitset>

namespace acceptwatch {

/// What the kernel programs are to report and what to leave out.
struct KernelFilter {
  uint16_t family = 0;                     ///< AF_INET, AF_INET6; 0: both
  uint32_t netns = 0;                      ///< inode; 0: all
  uint32_t actions = ~0U;                  ///< bit (1 << aw_action)
  std::optional<std::bitset<65536>> ports; ///< absent: all
  uint8_t pressure_percent = 0;            ///< of a queue's limit: queue_pressure; 0: none
  uint32_t rate = 0;                       ///< records a second of one kind; 0: all are sent
  bool all_resets = false;                 ///< of connections that were accepted, too
  bool owners = false;                     ///< KernelControl::mute() may be called
  /// Programs that are not attached, as if the kernel refused them: for tests.
  std::vector<std::string> withheld;
};

/// Loads and attaches what the plan names. `btf_file` may be empty. On failure `refused` has the
/// programs that the kernel did not take, if it was for them: a plan without them may do.
[[nodiscard]] Result<Probes> open_session(const Plan& plan, const KernelFilter& filter,
                                          const std::string& btf_file, Refusals& refused);

/// Whether libbpf's own messages are written to standard error.
void show_libbpf_messages(bool show);

} // namespace acceptwatch
