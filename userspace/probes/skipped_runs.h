// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/counters.h"
#include "probes/handles.h"

#include <acceptwatch/record.h>
#include <span>
#include <string_view>

namespace acceptwatch {

/// A program and what holds it at its hook.
struct Attached {
  Link link;
  const bpf_program* program;
};

/// Runs of the main programs that the kernel skipped, as it counts them.
class SkippedRuns {
public:
  SkippedRuns(bpf_object* object, std::span<const Attached> attached, aw_source tier)
      : object_(object), attached_(attached), tier_(tier) {}
  void add_to(Losses& losses) const;

private:
  void add_recursions(Losses& losses) const;
  void add_missed_kprobes(Losses& losses) const;
  void add(std::string_view program, uint64_t misses, Losses& losses) const;

  bpf_object* object_;
  std::span<const Attached> attached_;
  aw_source tier_;
};

/// SYNs for which tier tracepoint has predicted a drop but has not seen whether it came. Where the
/// kernel skipped a run of syn_consumed, the next run reports such a SYN (ingress.bpf.h). `cpus`:
/// how many there may be.
[[nodiscard]] uint64_t unconfirmed_syns(const bpf_object* object, size_t cpus);

} // namespace acceptwatch
