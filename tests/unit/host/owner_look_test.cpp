// SPDX-License-Identifier: Apache-2.0
#include "host/owner_look.h"

#include "host/proc_host.h"
#include "model/table.h"
#include "support/records.h"
#include "support/temp_tree.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr uint64_t id = 12345;
constexpr uint64_t second = 1'000'000'000;

/// A /proc in which 4711 runs in /shop and holds a listener.
class StandstillTest : public testing::Test {
protected:
  StandstillTest() {
    runs(4711);
    tree.file("4711/cgroup", "0::/shop\n");
    tree.file("4711/status", "Name:\tjava\nFDSize:\t64\nGroups:\t0\n");
    tree.file("4711/limits", "Max open files            20                   20           files\n");
    tree.file("4711/fd/3", "");
    tree.file("self/mountinfo", "41 31 0:38 / " + tree.path("cg") + " rw - cgroup2 cgroup2 rw\n");
    tree.file("cg/shop/cgroup.events", "populated 1\nfrozen 0\n");
    tree.file("cg/shop/cpu.pressure", "some avg10=12.00 avg60=0.00 avg300=0.00 total=0\n");
    tree.file("cg/shop/cpu.max", "5000 100000\n");
    tree.file("cg/shop/cpu.stat", "nr_periods 100\nnr_throttled 95\nthrottled_usec 4500\n");
  }

  void runs(uint32_t pid) {
    const auto name = std::to_string(pid);
    tree.file(name + "/task/" + name + "/stat", name + " (java) R 1 4711 4711 0\n");
  }

  void held_by(uint32_t pid, uint64_t start_ns) {
    aw_holder record{};
    record.header.boot_ns = 1;
    record.listener.id = id;
    record.listener.port = 80;
    record.start_ns = start_ns;
    record.pid = pid;
    table.add_holder(record);
  }

  unit::TempTree tree;
  ProcFs procfs{tree.root()};
  ProcHost host{tree.root()};
  ListenerTable table{host};
};

TEST_F(StandstillTest, SnapshotHasAllThatIsKnown) {
  const auto state = look_at_owner(procfs, {{4711}});
  ASSERT_TRUE(state);
  EXPECT_EQ(state->threads.count(Activity::running), 1U);
  ASSERT_TRUE(state->descriptors);
  EXPECT_EQ(state->descriptors->open, 1U);
  EXPECT_EQ(state->descriptors->limit, 20U);
  EXPECT_EQ(state->frozen, false);
  ASSERT_TRUE(state->cpu_quota);
  EXPECT_EQ(state->cpu_quota->throttled, 95U);
  EXPECT_EQ(state->pressure.cpu, 12.0);
}

TEST_F(StandstillTest, SnapshotOfTooManyDescriptorsLeavesThemOut) {
  tree.file("4711/status", "Name:\tjava\nFDSize:\t16384\n");
  EXPECT_TRUE(look_at_owner(procfs, {{4711}})->descriptors);
  tree.file("4711/status", "Name:\tjava\nFDSize:\t32768\n");
  EXPECT_FALSE(look_at_owner(procfs, {{4711}})->descriptors);
}

TEST_F(StandstillTest, SnapshotOfAProcessThatIsGoneIsAbsent) {
  EXPECT_FALSE(look_at_owner(procfs, {{4712}}));
  EXPECT_FALSE(look_at_owner(procfs, {}));
}

TEST_F(StandstillTest, TableLooksAtAllHoldersOnceASecond) {
  runs(4712);
  held_by(4712, 2 * second);
  held_by(4711, second);
  const auto state = table.owner_state(id, second);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->threads.processes, 2U);
  EXPECT_TRUE(state->descriptors) << "the owner, which was started first, comes first";
  EXPECT_FALSE(table.owner_state(id, 2 * second - 1));
  EXPECT_TRUE(table.owner_state(id, 2 * second));
}

TEST_F(StandstillTest, TableDoesNotMixItUpWithTheLookForDescriptors) {
  held_by(4711, second);
  std::optional<FileShortage> shortage;
  table.update_shortage(id, second, shortage);
  EXPECT_FALSE(shortage);
  EXPECT_TRUE(table.owner_state(id, second));
}

/// A host of 9,000 files, whose limit does not hold for 4711.
class FullHost final : public ProcHost {
public:
  using ProcHost::ProcHost;
  std::optional<FileUsage> files = FileUsage{9000, 9000};

  [[nodiscard]] std::optional<FileUsage> host_files() const override { return files; }
  [[nodiscard]] bool may_exceed_file_max(uint32_t pid) const override { return pid == 4711; }
};

TEST_F(StandstillTest, WhatHasNoFileLeftIsToldApart) {
  FullHost full{tree.root()};
  ListenerTable listeners{full};
  const auto hold = [&](uint32_t pid) {
    runs(pid);
    aw_holder record{};
    record.listener.id = id;
    record.start_ns = second;
    record.pid = pid;
    listeners.add_holder(record);
  };
  std::optional<FileShortage> shortage;
  hold(4711);
  listeners.update_shortage(id, second, shortage);
  EXPECT_FALSE(shortage);
  hold(4712);
  listeners.update_shortage(id, 2 * second - 1, shortage);
  EXPECT_FALSE(shortage) << "once a second";
  listeners.update_shortage(id, 2 * second, shortage);
  ASSERT_TRUE(shortage);
  EXPECT_TRUE(shortage->of_host);
  EXPECT_EQ(shortage->files.limit, 9000U);
  full.files->open = 8999;
  listeners.update_shortage(id, 3 * second - 1, shortage);
  EXPECT_TRUE(shortage) << "as it was at the last look";
  listeners.update_shortage(id, 3 * second, shortage);
  EXPECT_FALSE(shortage);
  tree.file("4711/fd/0", "");
  tree.file("4711/limits",
            "Max open files            1                    20                   files\n");
  listeners.update_shortage(id, 4 * second, shortage);
  ASSERT_TRUE(shortage);
  EXPECT_FALSE(shortage->of_host);
  EXPECT_EQ(shortage->files.open, 1U);
}

TEST_F(StandstillTest, TableKnowsNothingOfAListenerThatIsClosedOrNobodys) {
  EXPECT_FALSE(table.owner_state(id, second));
  held_by(4711, second);
  table.closed(unit::closed_record(id, 2));
  EXPECT_FALSE(table.owner_state(id, second));
}

} // namespace
} // namespace acceptwatch
