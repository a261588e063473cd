// SPDX-License-Identifier: Apache-2.0
#include "host/budget.h"
#include "host/proc_host.h"
#include "support/temp_tree.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr uint64_t ms = 1'000'000;
constexpr uint64_t begun = 5000 * ms;

TEST(Budget, BeginsWithASecondsShare) {
  Budget budget{0.25};
  EXPECT_TRUE(budget.has_left(begun));
  budget.spend(249 * ms);
  EXPECT_TRUE(budget.has_left(begun));
  budget.spend(2 * ms);
  EXPECT_FALSE(budget.has_left(begun));
}

TEST(Budget, GetsItsShareOfTheTimeThatPasses) {
  Budget budget{0.25};
  ASSERT_TRUE(budget.has_left(begun));
  budget.spend(350 * ms); // 100 more than there was
  EXPECT_FALSE(budget.has_left(begun + 399 * ms));
  EXPECT_TRUE(budget.has_left(begun + 401 * ms));
}

TEST(Budget, SavesUpNoMoreThanASecond) {
  Budget budget{0.25};
  ASSERT_TRUE(budget.has_left(begun));
  ASSERT_TRUE(budget.has_left(begun + 100'000 * ms));
  budget.spend(251 * ms);
  EXPECT_FALSE(budget.has_left(begun + 100'000 * ms));
}

TEST(Budget, IsNotMisledByATimeBefore) {
  Budget budget{0.25};
  ASSERT_TRUE(budget.has_left(begun));
  budget.spend(251 * ms);
  EXPECT_FALSE(budget.has_left(begun - ms));
  EXPECT_FALSE(budget.has_left(begun + ms));
}

class Spender : public ProcHost {
public:
  using ProcHost::left_out;
  using ProcHost::ProcHost;
};

TEST(LookBudget, WhatItDoesNotAllowIsNotKnownAndCounted) {
  unit::TempTree tree;
  tree.file("4711/comm", "server\n");
  tree.file("4711/cgroup", "0::/system.slice\n");
  tree.link("4711/fd/3", "socket:[99]");
  Spender host{tree.root()};
  EXPECT_EQ(host.find_socket(4711, 99, 3), 3);
  EXPECT_FALSE(host.look([](const aw_holder&) {}).failed); // before there is a limit
  EXPECT_EQ(host.cgroup(4711), "/system.slice");
  host.limit_looks(1e-9);
  static_cast<void>(host.cgroup(4711)); // takes what there still was
  ASSERT_FALSE(host.cgroup(4711));
  EXPECT_FALSE(host.find_socket(4711, 99, 3)); // and not -1: that is "it has none"
  EXPECT_FALSE(host.descriptors(4711));
  EXPECT_FALSE(host.owner_state({.pids = {4711}}));
  EXPECT_TRUE(host.look([](const aw_holder&) {}).failed);
  EXPECT_EQ(host.name(4711), "server"); // absent would be that it has exited
  EXPECT_EQ(host.left_out(), 5U);
}

} // namespace
} // namespace acceptwatch
