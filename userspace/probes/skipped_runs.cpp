// SPDX-License-Identifier: Apache-2.0
#include "probes/skipped_runs.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <vector>

namespace acceptwatch {
namespace {

/// Programs whose skipped runs lose nothing: the next run (lifecycle.bpf.h), or a scan, makes up
/// for them.
bool only_follows(std::string_view program) {
  return program.starts_with("set_state") || program.starts_with("listen_") ||
         program.starts_with("process_") || program == "accepted";
}

/// See unconfirmed_syns().
bool confirms(std::string_view program) {
  return program == "syn_consumed" || program == "syn_refused";
}

/// The last part of struct bpf_link_info for a kprobe, as of 6.7. Older headers lack it, and older
/// kernels leave it zero.
struct KprobeLinkInfo {
  __u32 type;
  __u32 id;
  __u32 prog_id;
  __u32 _pad;
  __u32 event_type;
  __u32 _pad2;
  __u64 function_name;
  __u32 name_length;
  __u32 offset;
  __u64 address;
  __u64 missed;
};

} // namespace

void SkippedRuns::add_to(Losses& losses) const {
  add_recursions(losses);
  if (tier_ == AW_SOURCE_KPROBE)
    add_missed_kprobes(losses);
}

/// In tier kprobe only one program is at listen(), and one at its return. A scan finds the
/// listeners that they miss, but there is no record of their opening.
void SkippedRuns::add(std::string_view program, uint64_t misses, Losses& losses) const {
  const bool follows = only_follows(program);
  if (follows)
    losses.followers += misses;
  const bool alone =
      program == "listen_start" || program == "listen_started" || program == "listen_stopped";
  if (!follows || (tier_ == AW_SOURCE_KPROBE && alone))
    losses.programs += misses;
}

/// The kernel does not run a program on a CPU where it is being run; it counts that in
/// recursion_misses, since 5.12.
void SkippedRuns::add_recursions(Losses& losses) const {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    const int fd = bpf_program__fd(program);
    const std::string_view name = bpf_program__name(program);
    if (fd < 0 || confirms(name) || bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
      continue;
    add(name, info.recursion_misses, losses);
  }
}

/// The kernel skips a kprobe while it handles another one on that CPU, of whatever program
/// (kprobe_ftrace_handler()).
void SkippedRuns::add_missed_kprobes(Losses& losses) const {
  for (const auto& [link, program] : attached_) {
    KprobeLinkInfo info{};
    __u32 size = sizeof(info);
    if (bpf_program__type(program) != BPF_PROG_TYPE_KPROBE ||
        bpf_obj_get_info_by_fd(bpf_link__fd(link.get()), &info, &size) != 0)
      continue;
    add(bpf_program__name(program), info.missed, losses);
  }
}

uint64_t unconfirmed_syns(const bpf_object* object, size_t cpus) {
  const int map = bpf_object__find_map_fd_by_name(object, "aw_pending_syn");
  std::vector<aw_pending_syn> per_cpu(cpus);
  const __u32 zero = 0;
  if (map < 0 || bpf_map_lookup_elem(map, &zero, per_cpu.data()) != 0)
    return 0;
  return static_cast<uint64_t>(
      std::ranges::count_if(per_cpu, [](const aw_pending_syn& syn) { return syn.skb != 0; }));
}

} // namespace acceptwatch
