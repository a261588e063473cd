// SPDX-License-Identifier: Apache-2.0
// A snapshot needs the iterator and no tier.
#include "kernel/plan.h"
#include "support/kernels.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using namespace unit;

void expect_refused(const Features& features, ExitStatus status, const char* mentions) {
  const auto plan = seed_plan(features);
  ASSERT_FALSE(plan) << mentions;
  EXPECT_EQ(plan.error().status, status);
  EXPECT_NE(plan.error().what.find(mentions), std::string::npos) << plan.error().what;
  EXPECT_FALSE(plan.error().advice.empty());
}

TEST(SeedPlan, IsTheIteratorAlone) {
  for (const auto& kernel : {kernel_6_1(), kernel_6_12(), locked_down(kernel_6_18())}) {
    const auto plan = seed_plan(kernel);
    ASSERT_TRUE(plan) << kernel.kernel_release;
    EXPECT_TRUE(plan->seed_by_iterator);
    EXPECT_FALSE(plan->give_cookies);
    EXPECT_FALSE(plan->show_stacks);
    EXPECT_TRUE(plan->programs.empty());
    EXPECT_TRUE(plan->config.can_make_cookies);
  }
}

TEST(SeedPlan, ReadsMemoryWhereNothingTellsWhichFileIsASocket) {
  const auto plan = seed_plan(kernel_5_10());
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->seed_by_probe_reads);
}

TEST(SeedPlan, NeedsNeitherRingBufferNorFunctions) {
  auto features = without_ring_buffer(kernel_6_12());
  features.fentry = features.kprobe = fails(EPERM);
  EXPECT_TRUE(seed_plan(features));
}

TEST(SeedPlan, RefusalsSayWhy) {
  expect_refused(unprivileged(kernel_6_12()), ExitStatus::privileges, "CAP_BPF and CAP_PERFMON");
  auto features = kernel_6_12();
  features.cap_perfmon = false;
  expect_refused(features, ExitStatus::privileges, "CAP_PERFMON is missing");
  expect_refused(without_btf(kernel_6_12()), ExitStatus::kernel, "type information");
  expect_refused(with_btf_file(kernel_6_12()), ExitStatus::kernel, "type information");
  expect_refused(locked_down(kernel_5_10()), ExitStatus::kernel, "bpf_sock_from_file()");
  features = kernel_6_12();
  features.iterator = fails(EPERM);
  expect_refused(features, ExitStatus::kernel, "task-file iterator");
}

} // namespace
} // namespace acceptwatch
