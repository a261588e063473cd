// SPDX-License-Identifier: Apache-2.0
// What is refused, with which exit status, and that nothing takes its place.
#include "events/names.h"
#include "kernel/plan.h"
#include "support/kernels.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using namespace unit;

Error refusal_of(const Features& features, std::optional<aw_source> wanted = std::nullopt) {
  const auto plan = make_plan(features, wanted);
  EXPECT_FALSE(plan) << (plan ? name_of(plan->tier) : "");
  return plan ? Error{ExitStatus::ok, "(not refused)", ""} : plan.error();
}

/// What went wrong, and what to do: neither may be missing.
void expect_helpful(const Error& error, ExitStatus status, const char* mentions) {
  EXPECT_EQ(static_cast<int>(error.status), static_cast<int>(status)) << error.what;
  EXPECT_NE(error.what.find(mentions), std::string::npos) << error.what;
  EXPECT_FALSE(error.advice.empty()) << error.what;
}

std::vector<Features> all_kernels() {
  std::vector<Features> all;
  for (const auto& kernel :
       {kernel_5_10(), kernel_6_1(), kernel_6_12(), kernel_6_18(), kernel_7_2()}) {
    all.insert(all.end(), {kernel, locked_down(kernel), unprivileged(kernel), without_btf(kernel),
                           with_btf_file(kernel), without_ring_buffer(kernel),
                           locked_down(with_btf_file(kernel)), unprivileged(without_btf(kernel))});
  }
  all.emplace_back(); // nothing at all
  return all;
}

TEST(Refusal, WithoutPrivilegesIsStatus4) {
  expect_helpful(refusal_of(unprivileged(kernel_6_12())), ExitStatus::privileges,
                 "CAP_BPF and CAP_PERFMON");
  for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT})
    expect_helpful(refusal_of(unprivileged(kernel_6_12()), tier), ExitStatus::privileges,
                   "CAP_BPF");
}

TEST(Refusal, NamesTheOneCapabilityThatIsMissing) {
  auto features = kernel_6_12();
  features.cap_sys_admin = features.cap_perfmon = false;
  const auto perfmon = refusal_of(features);
  expect_helpful(perfmon, ExitStatus::privileges, "CAP_PERFMON");
  EXPECT_EQ(perfmon.what.find("CAP_BPF"), std::string::npos) << perfmon.what;
  features.cap_perfmon = true;
  features.cap_bpf = false;
  const auto bpf = refusal_of(features);
  expect_helpful(bpf, ExitStatus::privileges, "CAP_BPF");
  EXPECT_EQ(bpf.what.find("CAP_PERFMON"), std::string::npos) << bpf.what;
}

TEST(Refusal, WithoutTypeInformationIsStatus3) {
  const auto error = refusal_of(without_btf(kernel_6_12()));
  expect_helpful(error, ExitStatus::kernel, "BTF");
  EXPECT_NE(error.advice.find("--btf"), std::string::npos);
}

TEST(Refusal, MissingPrivilegesComeBeforeMissingTypeInformation) {
  EXPECT_EQ(refusal_of(unprivileged(without_btf(kernel_6_12()))).status, ExitStatus::privileges);
}

TEST(Refusal, WithoutRingBufferIsStatus3) {
  const auto error = refusal_of(without_ring_buffer(kernel_5_10()));
  expect_helpful(error, ExitStatus::kernel, "ring buffer");
  auto forbidden = kernel_5_10();
  forbidden.ring_buffer = fails(EPERM);
  EXPECT_NE(refusal_of(forbidden).advice.find("RLIMIT_MEMLOCK"), std::string::npos);
}

TEST(Refusal, ABtfFileUnderLockdownLeavesNothing) {
  EXPECT_EQ(refusal_of(locked_down(with_btf_file(kernel_6_12()))).status, ExitStatus::kernel);
}

TEST(Refusal, TypedTiersAreNotServedByABtfFile) {
  for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_TRACEPOINT})
    expect_helpful(refusal_of(with_btf_file(kernel_6_12()), tier), ExitStatus::kernel, "--btf");
}

TEST(Refusal, WithoutTypedTracepointsOnlyKprobesAreLeft) {
  auto features = kernel_6_12();
  features.tp_btf = features.fentry = fails(EINVAL);
  EXPECT_EQ(make_plan(features, std::nullopt)->tier, AW_SOURCE_KPROBE);
  EXPECT_EQ(refusal_of(features, AW_SOURCE_TRACEPOINT).status, ExitStatus::kernel);
  features.kprobe = fails(ENOENT);
  EXPECT_EQ(refusal_of(features).status, ExitStatus::kernel);
}

TEST(Refusal, ATierAskedForIsNotReplacedByAnother) {
  const auto no_fentry = refusal_of(kernel_6_18(), AW_SOURCE_FENTRY);
  expect_helpful(no_fentry, ExitStatus::kernel, "fentry");
  EXPECT_TRUE(no_fentry.what.starts_with("--probes fentry: ")) << no_fentry.what;
  const auto no_kprobe = refusal_of(kernel_6_18(), AW_SOURCE_KPROBE);
  expect_helpful(no_kprobe, ExitStatus::kernel, "kprobe");
  EXPECT_TRUE(no_kprobe.what.starts_with("--probes kprobe: ")) << no_kprobe.what;
}

TEST(Refusal, OfKprobesToWhoeverMayNotMakeThemIsOfPrivileges) {
  auto features = kernel_6_12();
  features.kprobe = fails(EACCES);
  features.cap_sys_admin = false;
  expect_helpful(refusal_of(features, AW_SOURCE_KPROBE), ExitStatus::privileges, "CAP_SYS_ADMIN");
}

TEST(Refusal, OfKprobesUnderLockdownSaysSo) {
  auto features = kernel_6_12();
  features.probe_read = fails(EPERM); // kprobes attach, but may read nothing
  const auto error = refusal_of(features, AW_SOURCE_KPROBE);
  expect_helpful(error, ExitStatus::kernel, "bpf_probe_read_kernel");
  EXPECT_NE(error.advice.find("lockdown"), std::string::npos);
}

TEST(Refusal, WhereAFunctionIsMissingNamesIt) {
  for (const char* name : {"tcp_conn_request", "inet_csk_listen_start", "inet_csk_listen_stop"}) {
    auto features = kernel_6_12();
    features.arguments.erase(name);
    for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE})
      expect_helpful(refusal_of(features, tier), ExitStatus::kernel, name);
    EXPECT_EQ(make_plan(features, std::nullopt)->tier, AW_SOURCE_TRACEPOINT);
  }
}

TEST(Tiers, ATierAskedForIsUsedOrRefusedOnEveryKernel) {
  for (const auto& features : all_kernels()) {
    for (const aw_source tier : all_tiers) {
      const auto plan = make_plan(features, tier);
      EXPECT_EQ(plan.has_value(), availability(features, tier).available);
      if (plan) {
        EXPECT_EQ(plan->tier, tier) << features.kernel_release;
      }
    }
  }
}

TEST(Tiers, AutoIsTheBestThatIsAvailableAndNeverPoll) {
  size_t refused = 0;
  for (const auto& features : all_kernels()) {
    std::optional<aw_source> best;
    for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
      if (!best && availability(features, tier).available)
        best = tier;
    }
    const auto plan = make_plan(features, std::nullopt);
    EXPECT_EQ(plan.has_value(), best.has_value()) << features.kernel_release;
    if (plan) {
      EXPECT_EQ(plan->tier, *best) << features.kernel_release;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
}

TEST(Tiers, PollIsThereForWhoeverAsks) {
  for (const auto& features : all_kernels()) {
    const auto plan = make_plan(features, AW_SOURCE_POLL);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->tier, AW_SOURCE_POLL);
    EXPECT_TRUE(plan->programs.empty());
  }
}

TEST(Tiers, OneThatIsNotAvailableSaysWhy) {
  for (const auto& features : all_kernels()) {
    for (const aw_source tier : all_tiers) {
      const auto [available, why] = availability(features, tier);
      EXPECT_EQ(available, why.what.empty()) << name_of(tier) << ": " << why.what;
    }
  }
}

} // namespace
} // namespace acceptwatch
