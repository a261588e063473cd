// SPDX-License-Identifier: Apache-2.0
#include "app/filter.h"

#include "events/names.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

Holder holder(uint32_t pid, const char* name, std::optional<std::string> cgroup) {
  return {pid, name, std::move(cgroup), 0, -1};
}

Listener held_by(std::vector<Holder> holders) {
  Listener listener;
  listener.holders = std::move(holders);
  return listener;
}

bool in_cgroup(const char* wanted, std::optional<std::string> cgroup) {
  Options options;
  options.cgroups = {wanted};
  const auto listener = held_by({holder(1, "a", std::move(cgroup))});
  return owner_wanted(options, &listener);
}

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

TEST(ActionWanted, IsWhatWasAskedFor) {
  Options options;
  EXPECT_TRUE(action_wanted(options, AW_LISTENER_OPENED));
  options.actions = 1U << AW_RESET_SENT;
  EXPECT_TRUE(action_wanted(options, AW_RESET_SENT));
  EXPECT_FALSE(action_wanted(options, AW_LISTENER_OPENED));
}

TEST(ListedWanted, ComparesPortNamespaceAndFamily) {
  Listed entry;
  entry.port = 80;
  entry.address.family = AF_INET;
  entry.netns = 4026531840;
  Options options;
  EXPECT_TRUE(listed_wanted(options, entry));
  options.ports.emplace().set(80);
  options.netns = 4026531840;
  options.family = AF_INET;
  EXPECT_TRUE(listed_wanted(options, entry));
  entry.port = 81;
  EXPECT_FALSE(listed_wanted(options, entry));
  entry.port = 80;
  entry.netns.reset();
  EXPECT_FALSE(listed_wanted(options, entry));
  entry.netns = 4026531840;
  entry.address.family = AF_INET6;
  EXPECT_FALSE(listed_wanted(options, entry));
}

TEST(OwnerWanted, WithoutFiltersIsEverybodyAndNobody) {
  const auto listener = held_by({});
  EXPECT_TRUE(owner_wanted({}, &listener));
  EXPECT_TRUE(owner_wanted({}, nullptr));
}

TEST(OwnerWanted, WithAFilterIsNotWhoIsNotKnown) {
  Options options;
  options.pids = {1};
  EXPECT_FALSE(owner_wanted(options, nullptr));
}

TEST(OwnerWanted, IsAnyOfTheHolders) {
  Options options;
  options.pids = {7, 2};
  const auto listener = held_by({holder(1, "a", {}), holder(2, "b", {})});
  EXPECT_TRUE(owner_wanted(options, &listener));
  options.pids = {3};
  EXPECT_FALSE(owner_wanted(options, &listener));
}

TEST(OwnerWanted, IsTheLastHolderToo) {
  Options options;
  options.comms = {"java"};
  auto listener = held_by({});
  EXPECT_FALSE(owner_wanted(options, &listener));
  listener.last_holder = holder(1, "java", {});
  EXPECT_TRUE(owner_wanted(options, &listener));
}

TEST(OwnerWanted, MeetsAllKindsOfFilterInOneProcess) {
  Options options;
  options.pids = {1};
  options.comms = {"b"};
  const auto two = held_by({holder(1, "a", {}), holder(2, "b", {})});
  EXPECT_FALSE(owner_wanted(options, &two));
  const auto one = held_by({holder(1, "b", {})});
  EXPECT_TRUE(owner_wanted(options, &one));
}

TEST(OwnerWanted, ACommIsTheWholeName) {
  Options options;
  options.comms = {"java"};
  const auto listener = held_by({holder(1, "javac", {})});
  EXPECT_FALSE(owner_wanted(options, &listener));
}

TEST(OwnerWanted, ACgroupHoldsThoseBelowIt) {
  EXPECT_TRUE(in_cgroup("/system.slice", "/system.slice"));
  EXPECT_TRUE(in_cgroup("/system.slice", "/system.slice/shop.service"));
  EXPECT_TRUE(in_cgroup("/system.slice/", "/system.slice/shop.service"));
  EXPECT_TRUE(in_cgroup("/", "/system.slice"));
  EXPECT_TRUE(in_cgroup("/", "/"));
}

TEST(OwnerWanted, ACgroupHoldsNotThoseThatOnlyBeginLikeIt) {
  EXPECT_FALSE(in_cgroup("/system.slice", "/system.slices"));
  EXPECT_FALSE(in_cgroup("/system.slice/shop", "/system.slice"));
  EXPECT_FALSE(in_cgroup("/system.slice", std::nullopt));
}

TEST(AuditScope, KnowsNamespacesAndNoOtherFilter) {
  Options options;
  options.netns = 4026531840;
  options.filters = {"netns=self", "port=80", "events=listen_drop"};
  Plan plan;
  plan.tier = AW_SOURCE_TRACEPOINT;
  const auto scope = audit_scope(options, plan);
  EXPECT_EQ(scope.netns, 4026531840U);
  EXPECT_EQ(scope.incomparable, (std::vector<std::string>{"port=80", "events=listen_drop"}));
}

TEST(AuditScope, OfPollingIsNone) {
  EXPECT_EQ(audit_scope({}, Plan{}).incomparable, std::vector<std::string>{"probes=poll"});
}

TEST(AuditScope, IsBlindToWhatTheTierDoesNotSee) {
  Plan plan;
  plan.tier = AW_SOURCE_TRACEPOINT;
  plan.blind = {{AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_NONE, {}, {}, {}}};
  const auto scope = audit_scope({}, plan);
  ASSERT_EQ(scope.blind.size(), plan.blind.size());
  EXPECT_EQ(scope.blind[0].reason, AW_REQUEST_FAILED);
}

} // namespace
} // namespace acceptwatch
