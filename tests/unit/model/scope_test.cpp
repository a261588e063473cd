// SPDX-License-Identifier: Apache-2.0
#include "model/scope.h"

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
  const OwnerFilter filter{{}, {}, {wanted}};
  const auto listener = held_by({holder(1, "a", std::move(cgroup))});
  return filter.wants(&listener);
}

TEST(ActionWanted, IsWhatWasAskedFor) {
  Scope scope;
  EXPECT_TRUE(scope.wants_action(AW_LISTENER_OPENED));
  scope.actions = 1U << AW_RESET_SENT;
  EXPECT_TRUE(scope.wants_action(AW_RESET_SENT));
  EXPECT_FALSE(scope.wants_action(AW_LISTENER_OPENED));
}

TEST(ListedWanted, ComparesPortNamespaceAndFamily) {
  Listed entry;
  entry.port = 80;
  entry.address.family = AF_INET;
  entry.netns = 4026531840;
  Scope scope;
  EXPECT_TRUE(scope.wants_listed(entry));
  scope.ports.emplace().set(80);
  scope.netns = 4026531840;
  scope.family = AF_INET;
  EXPECT_TRUE(scope.wants_listed(entry));
  entry.port = 81;
  EXPECT_FALSE(scope.wants_listed(entry));
  entry.port = 80;
  entry.netns.reset();
  EXPECT_FALSE(scope.wants_listed(entry));
  entry.netns = 4026531840;
  entry.address.family = AF_INET6;
  EXPECT_FALSE(scope.wants_listed(entry));
}

TEST(OwnerWanted, WithoutFiltersIsEverybodyAndNobody) {
  const auto listener = held_by({});
  EXPECT_TRUE(OwnerFilter{}.wants(&listener));
  EXPECT_TRUE(OwnerFilter{}.wants(nullptr));
}

TEST(OwnerWanted, WithAFilterIsNotWhoIsNotKnown) {
  OwnerFilter filter;
  filter.pids = {1};
  EXPECT_FALSE(filter.wants(nullptr));
}

TEST(OwnerWanted, IsAnyOfTheHolders) {
  OwnerFilter filter;
  filter.pids = {7, 2};
  const auto listener = held_by({holder(1, "a", {}), holder(2, "b", {})});
  EXPECT_TRUE(filter.wants(&listener));
  filter.pids = {3};
  EXPECT_FALSE(filter.wants(&listener));
}

TEST(OwnerWanted, IsTheLastHolderToo) {
  OwnerFilter filter;
  filter.names = {"java"};
  auto listener = held_by({});
  EXPECT_FALSE(filter.wants(&listener));
  listener.last_holder = holder(1, "java", {});
  EXPECT_TRUE(filter.wants(&listener));
}

TEST(OwnerWanted, MeetsAllKindsOfFilterInOneProcess) {
  OwnerFilter filter;
  filter.pids = {1};
  filter.names = {"b"};
  const auto two = held_by({holder(1, "a", {}), holder(2, "b", {})});
  EXPECT_FALSE(filter.wants(&two));
  const auto one = held_by({holder(1, "b", {})});
  EXPECT_TRUE(filter.wants(&one));
}

TEST(OwnerWanted, ACommIsTheWholeName) {
  OwnerFilter filter;
  filter.names = {"java"};
  const auto listener = held_by({holder(1, "javac", {})});
  EXPECT_FALSE(filter.wants(&listener));
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

} // namespace
} // namespace acceptwatch
