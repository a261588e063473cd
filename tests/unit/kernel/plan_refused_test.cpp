// SPDX-License-Identifier: Apache-2.0
// A program that the kernel refuses costs what only it shows, and nothing else.
#include "kernel/plan.h"
#include "support/kernels.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using namespace unit;

Plan plan_without(Features features, std::initializer_list<const char*> programs,
                  std::optional<aw_source> tier = std::nullopt) {
  for (const char* program : programs)
    features.refused.emplace(program, E2BIG);
  const auto plan = make_plan(features, tier);
  EXPECT_TRUE(plan);
  return plan.value_or(Plan{});
}

bool loads(const Plan& plan, std::string_view program) {
  return std::ranges::find(plan.programs, program) != plan.programs.end();
}

bool is_blind(const Plan& plan, aw_action action, aw_reason reason = AW_REASON_NONE,
              aw_stage stage = AW_STAGE_NONE, const char* field = "") {
  return std::ranges::any_of(plan.blind, [&](const BlindSpot& spot) {
    return spot.action == action && spot.reason == reason && spot.stage == stage &&
           spot.field == field;
  });
}

TEST(RefusedProgram, CostsWhatItShowsAndNothingElse) {
  const auto whole = plan_without(kernel_7_2(), {});
  const auto plan = plan_without(kernel_7_2(), {"netfilter_answer"});
  EXPECT_FALSE(loads(plan, "netfilter_answer"));
  EXPECT_EQ(plan.tier, whole.tier);
  EXPECT_EQ(plan.programs.size() + 1, whole.programs.size());
  EXPECT_TRUE(is_blind(plan, AW_RESET_SENT, AW_FIREWALL));
}

TEST(RefusedProgram, IsNamedWithTheKernelsWord) {
  const auto plan = plan_without(kernel_7_2(), {"retransmit_synack"});
  ASSERT_TRUE(is_blind(plan, AW_SYNACK_RETRANSMIT));
  EXPECT_NE(plan.blind.back().why.find("retransmit_synack"), std::string::npos);
  EXPECT_NE(plan.blind.back().why.find("Argument list too long"), std::string::npos);
}

/// Whatever is taken away, of whatever tier: a loss is never out of sight without a word.
TEST(RefusedProgram, IsToldOrHasAStandIn) {
  for (const auto& kernel :
       {kernel_5_10(), kernel_6_1(), kernel_6_12(), kernel_6_18(), kernel_7_2()}) {
    for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
      const auto whole = make_plan(kernel, tier);
      if (!whole)
        continue;
      for (const std::string& program : whole->programs) {
        const auto plan = plan_without(kernel, {program.c_str()}, tier);
        EXPECT_FALSE(loads(plan, program)) << program;
        const bool has_stand_in = std::ranges::any_of(
            plan.programs, [&](const std::string& one) { return !loads(*whole, one); });
        const bool is_repeated = program.ends_with("_again") || program.ends_with("_at_last") ||
                                 loads(*whole, program + "_at_last");
        const bool is_told = std::ranges::any_of(plan.blind, [&](const BlindSpot& spot) {
          return !is_blind(*whole, spot.action, spot.reason, spot.stage, spot.field.c_str());
        });
        // Of these events.md says what a run without them does not count.
        const bool only_counts = program.starts_with("accept_") || program == "accepted";
        EXPECT_TRUE(is_told || has_stand_in || is_repeated || only_counts)
            << kernel.kernel_release << " " << program;
      }
    }
  }
}

TEST(RefusedProgram, TakesWithItWhatWouldSayWhatIsNotSo) {
  // What the packet hook foresees is told when the SYN is freed, and not if it was refused.
  for (const char* program : {"ingress", "syn_consumed", "syn_refused"}) {
    const auto plan = plan_without(kernel_6_18(), {program});
    for (const char* one : {"ingress", "syn_consumed", "syn_refused"})
      EXPECT_FALSE(loads(plan, one)) << program << " " << one;
    EXPECT_TRUE(is_blind(plan, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_SYN)) << program;
    EXPECT_FALSE(is_blind(plan, AW_LISTEN_DROP, AW_FIREWALL)) << program;
  }
}

TEST(RefusedProgram, HasTheNextBestInItsPlace) {
  const auto hook = plan_without(kernel_7_2(), {"conn_request"}, AW_SOURCE_FENTRY);
  EXPECT_TRUE(loads(hook, "ingress"));
  EXPECT_FALSE(loads(hook, "conn_request_return"));
  EXPECT_FALSE(is_blind(hook, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_SYN));
  EXPECT_TRUE(is_blind(hook, AW_LISTEN_DROP, AW_MEMORY, AW_STAGE_SYN)) << "it sees queues only";
  const auto functions = plan_without(kernel_7_2(), {"skb_drop"}, AW_SOURCE_FENTRY);
  EXPECT_TRUE(loads(functions, "v4_syn_recv_sock_return"));
  EXPECT_FALSE(is_blind(functions, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK));
  for (const aw_reason reason : {AW_FIREWALL, AW_REVERSE_PATH, AW_NETFILTER_QUEUE, AW_CHECKSUM})
    EXPECT_TRUE(is_blind(functions, AW_LISTEN_DROP, reason)) << reason;
  const auto states = plan_without(
      kernel_7_2(), {"listen_started", "listen_started_again", "listen_started_at_last"},
      AW_SOURCE_FENTRY);
  EXPECT_TRUE(loads(states, "set_state_at_last"));
  EXPECT_FALSE(loads(states, "listen_stopped")) << "each would be told twice";
  EXPECT_FALSE(is_blind(states, AW_LISTENER_OPENED));
  const auto counted = plan_without(kernel_7_2(), {"accepted"}, AW_SOURCE_FENTRY);
  EXPECT_EQ(counted.config.accept_args, 0);
  EXPECT_TRUE(counted.count_arrivals);
  EXPECT_FALSE(loads(counted, "accept_left")) << "it stands in for that one";
}

TEST(RefusedProgram, OfIcmpErrorsLeavesNobodyToTakeThemForResets) {
  const auto plan = plan_without(kernel_6_12(), {"icmp_error"}, AW_SOURCE_FENTRY);
  EXPECT_FALSE(loads(plan, "request_dropped"));
  EXPECT_TRUE(is_blind(plan, AW_RESET_RECEIVED, AW_IN_HANDSHAKE));
  const auto others = plan_without(kernel_6_12(), {"request_dropped"}, AW_SOURCE_FENTRY);
  EXPECT_TRUE(loads(others, "icmp_error"));
}

TEST(RefusedProgram, OfThoseThatCountTheFirstAcceptTakesTheOtherWithIt) {
  for (const char* program : {"accept_entered", "accept_left"}) {
    const auto plan = plan_without(kernel_7_2(), {program}, AW_SOURCE_FENTRY);
    EXPECT_FALSE(loads(plan, "accept_entered"));
    EXPECT_FALSE(loads(plan, "accept_left"));
    EXPECT_TRUE(loads(plan, "accepted"));
  }
}

TEST(RefusedProgram, OfThreeThatAreAlikeCostsNothing) {
  const auto whole = plan_without(kernel_7_2(), {}, AW_SOURCE_TRACEPOINT);
  const auto plan = plan_without(kernel_7_2(), {"set_state_again"}, AW_SOURCE_TRACEPOINT);
  EXPECT_EQ(plan.blind.size(), whole.blind.size());
  const auto none = plan_without(
      kernel_7_2(), {"set_state", "set_state_again", "set_state_at_last"}, AW_SOURCE_TRACEPOINT);
  EXPECT_TRUE(is_blind(none, AW_LISTENER_CLOSED));
  EXPECT_EQ(none.config.misses_closes, 1) << "else their RSTs would be of other connections";
  EXPECT_EQ(plan.config.misses_closes, 0);
}

TEST(RefusedProgram, ThatFollowsProcessesLeavesOwnersInDoubt) {
  const auto plan = plan_without(kernel_6_18(), {"process_exit"});
  EXPECT_TRUE(is_blind(plan, AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_NONE, "process.pid"));
  EXPECT_FALSE(is_blind(plan, AW_LISTEN_DROP));
}

} // namespace
} // namespace acceptwatch
