// SPDX-License-Identifier: Apache-2.0
#include "output/check.h"
#include "base/version.h"
#include "commands/commands.h"
#include "commands/opening.h"
#include "host/clock.h"
#include "host/identity.h"
#include "output/outlet.h"
#include "probes/probe_features.h"
#include "probes/session.h"

#include <fmt/format.h>

namespace acceptwatch {
namespace {

std::string attempt_text(const Attempt& attempt) {
  if (attempt.ok)
    return "yes";
  return attempt.error ? fmt::format("no: {}", describe_errno(attempt.error)) : "not tried";
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

std::vector<Fact> facts_of(const Features& features) {
  const auto text = [](const std::optional<std::string>& value) { return value.value_or("none"); };
  constexpr const char* btf_names[] = {"none", "kernel", "file"};
  const auto& full_at = features.syn_full_at_limit;
  return {
      {"type information (BTF)", btf_names[static_cast<int>(features.btf)]},
      {"lockdown", features.lockdown.empty() ? "not known" : features.lockdown},
      {"CAP_BPF", yes_no(features.cap_bpf)},
      {"CAP_PERFMON", yes_no(features.cap_perfmon)},
      {"CAP_NET_ADMIN", yes_no(features.cap_net_admin)},
      {"ring buffer", attempt_text(features.ring_buffer)},
      {"fentry", attempt_text(features.fentry)},
      {"kprobe", attempt_text(features.kprobe)},
      {"typed tracepoints", attempt_text(features.tp_btf)},
      {"task-file iterator", attempt_text(features.iterator)},
      {"kernel stacks", attempt_text(features.task_stack)},
      {"root cgroup hook", attempt_text(features.cgroup_skb)},
      {"kernel memory reads", attempt_text(features.probe_read)},
      {"cgroup2 mount", text(features.cgroup_mount)},
      {"SYN queue is full", !full_at   ? "not known"
                            : *full_at ? "at its limit"
                                       : "above its limit"},
  };
}

CheckReport make_report(const Features& features, const Result<Opened>& opened) {
  CheckReport report;
  report.origin = {Clock{}.now().wall_time(), host_name(), std::string{version()}};
  report.kernel = features.kernel_release;
  report.facts = facts_of(features);
  for (const aw_source tier : all_tiers) {
    auto [available, why] = availability(features, tier);
    report.tiers.push_back({tier, available, std::move(why.what), std::move(why.advice)});
  }
  if (!opened) {
    report.error = opened.error().what;
    report.advice = opened.error().advice;
    return report;
  }
  report.chosen = opened->plan.tier;
  report.probes = opened->plan.programs;
  report.blind = opened->plan.blind;
  return report;
}

} // namespace

Result<void> check(const Options& options) {
  show_libbpf_messages(options.verbosity > 1);
  const auto features = probe_features(options.btf);
  if (!features)
    return tl::unexpected{features.error()};
  // What the kernel takes is known when it has taken it.
  const auto opened = open_planned(*features, options);
  const auto report = make_report(*features, opened);
  const std::string text =
      options.format == OutputFormat::ndjson ? check_as_json(report) : check_as_text(report);
  if (auto written = print_to_stdout(text); !written)
    return written;
  if (!opened)
    return tl::unexpected{opened.error()};
  return {};
}

} // namespace acceptwatch
