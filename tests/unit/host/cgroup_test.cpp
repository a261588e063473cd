// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup.h"

#include "support/temp_tree.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

/// A /proc, and a cgroup2 hierarchy beside it.
class CgroupTest : public testing::Test {
protected:
  void mounted(const std::string& root) {
    tree.file("self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n"
                                "30 24 0:26 / /v1/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n"
                                "41 31 0:38 " +
                                    root + " " + tree.path("cg") +
                                    " rw,relatime shared:10 - cgroup2 cgroup2 rw\n");
  }

  void quota(const std::string& below, const std::string& max, uint64_t throttled) {
    tree.file("cg" + below + "/cpu.max", max + "\n");
    tree.file("cg" + below + "/cpu.stat", "usage_usec 1\nnr_periods 100\nnr_throttled " +
                                              std::to_string(throttled) +
                                              "\nthrottled_usec 4500\n");
  }

  /// Below the mount; "(none)" where there is no place.
  std::string below(std::string_view path) {
    const auto place = place_of_cgroup(procfs, path);
    if (!place)
      return "(none)";
    EXPECT_EQ(place->mount, tree.path("cg"));
    return place->below;
  }

  CgroupPlace place(const std::string& below) { return {tree.path("cg"), below}; }

  unit::TempTree tree;
  ProcFs procfs{tree.root()};
};

TEST_F(CgroupTest, PlaceIsBelowTheMountOfVersion2) {
  mounted("/");
  EXPECT_EQ(below("/system.slice/shop.service"), "/system.slice/shop.service");
  EXPECT_EQ(below("/"), "");
}

TEST_F(CgroupTest, PlaceMayBeInAPartThatIsMounted) {
  mounted("/docker/ab");
  EXPECT_EQ(below("/docker/ab/worker"), "/worker");
  EXPECT_EQ(below("/docker/ab"), "");
  EXPECT_EQ(below("/docker/abc"), "(none)");
  EXPECT_EQ(below("/system.slice"), "(none)");
}

TEST_F(CgroupTest, PlaceOutsideOfTheNamespaceIsNone) {
  mounted("/");
  EXPECT_EQ(below("/../shop"), "(none)");
  tree.file("self/mountinfo", "30 24 0:26 / /v1/cpu rw,relatime - cgroup cgroup rw,cpu\n");
  EXPECT_EQ(below("/shop"), "(none)");
}

TEST_F(CgroupTest, QuotaAndFreezerOfVersion1) {
  tree.file("self/mountinfo",
            "30 24 0:26 / " + tree.path("v1") + " rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
  tree.file("4711/cgroup", "3:freezer:/ice\n4:cpu,cpuacct:/shop\n0::/\n");
  EXPECT_EQ(procfs.cgroup_of(4711, "cpu"), "/shop");
  EXPECT_EQ(procfs.cgroup_of(4711, "memory"), std::nullopt);
  const auto cpu = place_of_cgroup(procfs, "/shop", "cpu");
  ASSERT_TRUE(cpu);
  EXPECT_FALSE(place_of_cgroup(procfs, "/shop", "freezer"));
  tree.file("v1/shop/cpu.cfs_quota_us", "3000\n");
  tree.file("v1/shop/cpu.cfs_period_us", "100000\n");
  tree.file("v1/shop/cpu.stat", "nr_periods 40\nnr_throttled 38\nthrottled_time 5000000\n");
  const auto quota = cpu_quota_v1(*cpu);
  ASSERT_TRUE(quota);
  EXPECT_EQ(quota->quota_us, 3000U);
  EXPECT_EQ(quota->throttled, 38U);
  EXPECT_EQ(quota->throttled_us, 5000U);
  tree.file("v1/shop/cpu.cfs_quota_us", "-1\n");
  EXPECT_FALSE(cpu_quota_v1(*cpu)) << "none";
  EXPECT_EQ(is_frozen_v1(*cpu), std::nullopt);
  tree.file("v1/shop/freezer.state", "FROZEN\n");
  EXPECT_EQ(is_frozen_v1(*cpu), true);
  tree.file("v1/shop/freezer.state", "THAWED\n");
  EXPECT_EQ(is_frozen_v1(*cpu), false);
}

TEST_F(CgroupTest, FrozenIsWhatTheKernelSaysOrNotKnown) {
  EXPECT_EQ(is_frozen(place("/shop")), std::nullopt);
  tree.file("cg/shop/cgroup.events", "populated 1\nfrozen 0\n");
  EXPECT_EQ(is_frozen(place("/shop")), false);
  tree.file("cg/shop/cgroup.events", "populated 1\nfrozen 1\n");
  EXPECT_EQ(is_frozen(place("/shop")), true);
}

TEST_F(CgroupTest, QuotaIsReadWithItsCounts) {
  quota("/shop", "5000 100000", 95);
  const auto found = cpu_quota(place("/shop"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->quota_us, 5000U);
  EXPECT_EQ(found->period_us, 100000U);
  EXPECT_EQ(found->periods, 100U);
  EXPECT_EQ(found->throttled, 95U);
  EXPECT_EQ(found->throttled_us, 4500U);
}

TEST_F(CgroupTest, QuotaIsTheOneThatHoldsBackMost) {
  quota("/pod", "20000 100000", 60);
  quota("/pod/shop", "50000 100000", 2);
  quota("/pod/shop/worker", "max 100000", 0);
  EXPECT_EQ(cpu_quota(place("/pod/shop/worker"))->quota_us, 20000U);
  quota("/pod/shop", "50000 100000", 60);
  EXPECT_EQ(cpu_quota(place("/pod/shop/worker"))->quota_us, 50000U);
}

TEST_F(CgroupTest, QuotaOfAContainersOwnTopCounts) {
  quota("", "5000 100000", 95);
  EXPECT_EQ(cpu_quota(place(""))->quota_us, 5000U);
}

TEST_F(CgroupTest, QuotaIsAbsentWhereThereIsNone) {
  quota("/shop", "max 100000", 0);
  EXPECT_FALSE(cpu_quota(place("/shop")));
  EXPECT_FALSE(cpu_quota(place("/gone")));
  tree.file("cg/odd/cpu.max", "5000 100000\n"); // no controller: cpu.stat has no nr_periods
  tree.file("cg/odd/cpu.stat", "usage_usec 1\n");
  EXPECT_FALSE(cpu_quota(place("/odd")));
}

TEST_F(CgroupTest, PressureIsTheCgroupsOwnElseTheHosts) {
  tree.file("pressure/cpu", "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n");
  tree.file("pressure/memory", "some avg10=2.50 avg60=0.00 avg300=0.00 total=0\n");
  tree.file("cg/shop/cpu.pressure", "some avg10=98.53 avg60=95.99 avg300=52.83 total=1\n"
                                    "full avg10=3.00 avg60=0.00 avg300=0.00 total=0\n");
  const auto own = pressure_of(procfs, place("/shop"));
  EXPECT_EQ(own.cpu, 98.53);
  EXPECT_EQ(own.memory, std::nullopt);
  EXPECT_FALSE(own.of_host);
  for (const auto& cgroup : {std::optional<CgroupPlace>{}, std::optional{place("/none")}}) {
    const auto host = pressure_of(procfs, cgroup);
    EXPECT_EQ(host.cpu, 1.5);
    EXPECT_EQ(host.memory, 2.5);
    EXPECT_TRUE(host.of_host);
  }
}

TEST_F(CgroupTest, PressureIsAbsentWhereTheKernelDoesNotMeasureIt) {
  const auto pressure = pressure_of(procfs, place("/shop"));
  EXPECT_FALSE(pressure.cpu);
  EXPECT_FALSE(pressure.memory);
}

} // namespace
} // namespace acceptwatch
