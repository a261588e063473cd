// SPDX-License-Identifier: Apache-2.0
#include "commands/scope.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

TEST(KernelFilter, PassesOnWhatTheKernelCanDecide) {
  Options options;
  options.family = AF_INET6;
  options.netns = 4026531840;
  options.ports.emplace().set(80);
  const auto filter = kernel_filter(options);
  EXPECT_EQ(filter.family, AF_INET6);
  EXPECT_EQ(filter.netns, 4026531840U);
  ASSERT_TRUE(filter.ports);
  EXPECT_TRUE(filter.ports->test(80));
}

TEST(KernelFilter, HasAllResetsOnlyWhereTheyAreAskedFor) {
  Options options;
  EXPECT_FALSE(kernel_filter(options).all_resets);
  options.all_resets = true;
  EXPECT_TRUE(kernel_filter(options).all_resets);
}

TEST(KernelFilter, LetsThroughWhatTheTableNeeds) {
  Options options;
  options.actions = 1U << AW_RESET_SENT;
  EXPECT_EQ(kernel_filter(options).actions,
            1U << AW_RESET_SENT | 1U << AW_LISTENER_OPENED | 1U << AW_LISTENER_CLOSED);
}

TEST(KernelFilter, LetsEverythingThroughForFindings) {
  Options options;
  options.actions = 1U << AW_FINDING;
  EXPECT_EQ(kernel_filter(options).actions, ~0U);
}

TEST(ScopeOf, KnowsNamespacesAndNoOtherFilter) {
  Options options;
  options.netns = 4026531840;
  options.filters = {"netns=self", "port=80", "events=listen_drop"};
  Plan plan;
  plan.tier = AW_SOURCE_TRACEPOINT;
  const auto scope = scope_of(options, plan, {});
  EXPECT_EQ(scope.netns, 4026531840U);
  EXPECT_EQ(scope.incomparable, (std::vector<std::string>{"port=80", "events=listen_drop"}));
}

TEST(ScopeOf, OfPollingIsNone) {
  EXPECT_EQ(scope_of({}, Plan{}, {}).incomparable, std::vector<std::string>{"probes=poll"});
}

TEST(ScopeOf, IsBlindToWhatTheTierDoesNotSee) {
  Plan plan;
  plan.tier = AW_SOURCE_TRACEPOINT;
  plan.blind = {{AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_NONE, {}, {}, {}}};
  const auto scope = scope_of({}, plan, {});
  ASSERT_EQ(scope.blind.size(), plan.blind.size());
  EXPECT_EQ(scope.blind[0].reason, AW_REQUEST_FAILED);
}

TEST(ScopeOf, IsBlindToWhatAFilterLeavesOut) {
  Options options;
  options.actions = 1U << AW_RESET_SENT;
  const auto leaves_out = [](const Scope& scope, aw_action action, aw_reason reason) {
    return std::ranges::any_of(scope.blind, [&](const BlindSpot& spot) {
      return spot.action == action && spot.reason == reason;
    });
  };
  const auto scope = scope_of(options, Plan{}, {});
  EXPECT_TRUE(leaves_out(scope, AW_LISTEN_DROP, AW_REASON_NONE));
  EXPECT_FALSE(leaves_out(scope, AW_RESET_SENT, AW_REASON_NONE));
  options.actions |= 1U << AW_FINDING; // it rests on all of them
  EXPECT_TRUE(scope_of(options, Plan{}, {}).blind.empty());
  options.pids = {4711};
  EXPECT_TRUE(leaves_out(scope_of(options, Plan{}, {}), AW_RESET_SENT, AW_NO_LISTENER));
}

double sampled(OutputFormat format, Command command, std::optional<double> asked = {}) {
  Options options;
  options.format = format;
  options.command = command;
  options.sample_seconds = asked;
  return scope_of(options, Plan{}, Probes{}).sample_seconds;
}

TEST(ScopeOf, SamplesForProgramsAndNotForPeople) {
  EXPECT_EQ(sampled(OutputFormat::ndjson, Command::watch), 10);
  EXPECT_EQ(sampled(OutputFormat::text, Command::watch), 0);
  EXPECT_EQ(sampled(OutputFormat::ndjson, Command::explain), 0);
  EXPECT_EQ(sampled(OutputFormat::ndjson, Command::watch, 0), 0);
  EXPECT_EQ(sampled(OutputFormat::text, Command::watch, 0.5), 0.5);
}

} // namespace
} // namespace acceptwatch
