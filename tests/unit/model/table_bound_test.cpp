// SPDX-License-Identifier: Apache-2.0
// Users who fork, and open listeners by the thousand.
#include "support/table_fixture.h"

namespace acceptwatch {
namespace {

using unit::TableTest;

class TableUnderForks : public TableTest {
protected:
  static constexpr uint64_t first_id = 1'000'000;

  void listens(uint32_t pid, size_t listeners) {
    for (size_t i = 0; i < listeners; ++i)
      opened(first_id + i, pid, "parent");
  }
  void forks(uint32_t pid, uint32_t times) {
    for (uint32_t i = 1; i <= times; ++i)
      forked(pid, pid + i, 100 + i);
  }
  [[nodiscard]] size_t holders() const {
    size_t sum = 0;
    table.for_each([&](const Listener& listener) { sum += listener.holders.size(); });
    return sum;
  }
};

TEST_F(TableUnderForks, HoldersOfAllListenersTogetherAreBounded) {
  born(100, 10, "parent");
  listens(100, 2000);
  forks(100, 500);
  EXPECT_LE(holders(), ListenerTable::max_held + 2000 * ListenerTable::always_held);
  EXPECT_EQ(table.left_out(), 2000U);         // each once
  EXPECT_EQ(attributed(first_id).owners, 0U); // not known, and not as many as are
  EXPECT_EQ(attributed(first_id).owner->pid, 100U);
}

TEST_F(TableUnderForks, OneThatComesLaterHasItsFirstHoldersAllTheSame) {
  born(100, 10, "parent");
  listens(100, 2000);
  forks(100, 500);
  born(9000, 20, "other");
  opened(7, 9000, "other");
  forked(9000, 9001);
  EXPECT_EQ(attributed(7).owners, 2U);
  EXPECT_EQ(attributed(7).owner->name, "other");
}

TEST_F(TableUnderForks, ServersOfManyProcessesAreKnownInFull) {
  born(100, 10, "parent");
  listens(100, 4);
  forks(100, 2000);
  EXPECT_EQ(attributed(first_id).owners, 2001U);
  EXPECT_EQ(table.left_out(), 0U);
}

TEST_F(TableUnderForks, RoomComesBackWhenTheyExit) {
  born(100, 10, "parent");
  listens(100, 2000);
  forks(100, 500);
  for (uint32_t i = 1; i <= 500; ++i)
    exited(100 + i);
  EXPECT_EQ(holders(), 2000U);
  opened(7, 100, "parent");
  forks(100, 10);
  EXPECT_EQ(attributed(7).owners, 11U);
}

TEST_F(TableUnderForks, RoomComesBackWhenListenersAreClosed) {
  born(100, 10, "parent");
  listens(100, 2000);
  forks(100, 500);
  for (size_t i = 0; i < 2000; ++i)
    closed(first_id + i);
  opened(7, 100, "parent");
  forks(100, 30);
  EXPECT_EQ(attributed(7).owners, 31U);
}

TEST_F(TableUnderForks, AForkIsLookedAtOnceHoweverManyListenersThereAre) {
  born(100, 10, "parent", "/a");
  born(101, 20, "parent", "/b");
  listens(100, 50);
  forks(100, 1);
  for (size_t i = 0; i < 50; ++i) {
    const Listener* listener = table.find(first_id + i);
    ASSERT_EQ(listener->holders.size(), 2U);
    EXPECT_EQ(listener->holders[1].cgroup, "/b");
  }
}

} // namespace
} // namespace acceptwatch
