// SPDX-License-Identifier: Apache-2.0
// Who owns a listener, from records alone.
#include "support/table_fixture.h"

namespace acceptwatch {
namespace {

using unit::TableTest;
constexpr uint64_t id = 4711;

TEST_F(TableTest, ListenerOpenedIsOwnedByItsListenCaller) {
  born(100, 10, "java", "/system.slice/shop.service");
  opened(id, 100, "java");
  const auto event = attributed(id);
  ASSERT_TRUE(event.owner);
  EXPECT_EQ(event.owner->pid, 100U);
  EXPECT_EQ(event.owner->name, "java");
  EXPECT_EQ(event.owner->cgroup, "/system.slice/shop.service");
  EXPECT_EQ(event.owners, 1U);
}

TEST_F(TableTest, OpenedListenerHasItsAddressPortAndNamespace) {
  opened(id, 100, "java");
  const Listener* listener = table.find(id);
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->id, id);
  EXPECT_EQ(to_string(listener->address), "10.0.0.5");
  EXPECT_EQ(listener->port, 9799);
  EXPECT_EQ(listener->netns, 4026531840U);
  EXPECT_FALSE(listener->closed);
}

TEST_F(TableTest, ListenCallerOwnsThoughAnotherHolderIsOlder) {
  born(100, 10, "systemd");
  born(200, 20, "java");
  opened(id, 200, "java");
  accepts(id, 100, "systemd");
  EXPECT_EQ(owner(id), 200U);
  EXPECT_EQ(attributed(id).owners, 2U);
}

TEST_F(TableTest, OnceTheListenCallerExitedTheFirstStartedOwns) {
  born(100, 5, "starter");
  born(200, 30, "third");
  born(300, 10, "first");
  born(400, 20, "second");
  opened(id, 100, "starter");
  for (const uint32_t pid : {200U, 300U, 400U})
    accepts(id, pid, "worker");
  exited(100);
  EXPECT_EQ(owner(id), 300U);
  EXPECT_EQ(attributed(id).owners, 3U);
}

TEST_F(TableTest, OfTwoStartedAtOnceTheLowerPidOwns) {
  held(id, 300, 10, 3, "b");
  held(id, 200, 10, 3, "a");
  EXPECT_EQ(owner(id), 200U);
}

TEST_F(TableTest, OfSeededHoldersTheFirstStartedOwns) {
  held(id, 100, 30, 3, "worker");
  held(id, 200, 10, 3, "master");
  held(id, 300, 20, 3, "worker");
  EXPECT_EQ(owner(id), 200U);
  EXPECT_EQ(attributed(id).owners, 3U);
}

TEST_F(TableTest, AHolderWhoseStartIsNotKnownDoesNotPassForTheFirst) {
  held(id, 100, 10, 3, "master");
  accepts(id, 200, "short-lived"); // gone before /proc could be asked
  EXPECT_EQ(owner(id), 100U);
}

TEST_F(TableTest, TheLastHolderIsNamedWhenNobodyHoldsItAnyMore) {
  held(id, 100, 10, 3, "master");
  held(id, 200, 20, 3, "worker");
  exited(100);
  exited(200);
  EXPECT_EQ(owner(id), 200U);
}

TEST_F(TableTest, AListenerThatNobodyKnowsLeavesTheEventAsItIs) {
  EXPECT_EQ(table.find(id), nullptr);
  const auto event = attributed(id);
  EXPECT_FALSE(event.owner);
  EXPECT_EQ(event.owners, 0U);
}

TEST_F(TableTest, AnEventWithoutListenerHasNoOwner) {
  held(0, 100, 10, 3, "odd");
  EXPECT_FALSE(attributed(0).owner);
}

TEST_F(TableTest, AProcessThatAcceptsHoldsTheListener) {
  opened(id, 100, "master");
  accepts(id, 200, "worker");
  EXPECT_EQ(attributed(id).owners, 2U);
  accepts(id, 200, "worker"); // again
  EXPECT_EQ(attributed(id).owners, 2U);
}

TEST_F(TableTest, AcceptOnAListenerThatNobodyKnowsMakesNone) {
  accepts(id, 200, "worker");
  EXPECT_EQ(table.find(id), nullptr);
}

TEST_F(TableTest, AChildHoldsWhatItsParentHolds) {
  born(200, 20, "nginx");
  opened(id, 100, "nginx");
  opened(id + 1, 100, "nginx");
  forked(100, 200);
  EXPECT_EQ(attributed(id).owners, 2U);
  EXPECT_EQ(attributed(id + 1).owners, 2U);
  EXPECT_EQ(owner(id), 100U);
  exited(100);
  EXPECT_EQ(owner(id), 200U);
  EXPECT_EQ(attributed(id).owner->name, "nginx");
}

TEST_F(TableTest, AChildThatExitedBeforeItsForkWasReadKeepsItsRank) {
  born(150, 20, "second");
  opened(id, 100, "master");
  forked(100, 200, 10); // /proc knows nothing of it any more
  accepts(id, 150, "second");
  exited(100);
  EXPECT_EQ(owner(id), 200U);
}

TEST_F(TableTest, TheOwnersContainerIsTheOneThatItsCgroupNames) {
  const std::string container(64, 'c');
  born(100, 10, "nginx", "/docker/" + container);
  opened(id, 100, "nginx");
  EXPECT_EQ(attributed(id).owner->container, container);
}

TEST_F(TableTest, AChildIsInItsParentsCgroupWhereItsOwnIsNotKnown) {
  born(100, 10, "nginx", "/web");
  opened(id, 100, "nginx");
  forked(100, 200); // gone before /proc could be asked
  exited(100);
  EXPECT_EQ(attributed(id).owner->cgroup, "/web");
}

TEST_F(TableTest, AStrangersChildHoldsNothing) {
  opened(id, 100, "nginx");
  forked(300, 301);
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableTest, AWorkersExitTakesItAway) {
  opened(id, 100, "nginx");
  forked(100, 200);
  exited(200);
  EXPECT_EQ(attributed(id).owners, 1U);
  EXPECT_EQ(owner(id), 100U);
}

TEST_F(TableTest, AStrangersExitChangesNothing) {
  opened(id, 100, "nginx");
  exited(999);
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableTest, APidThatIsUsedAgainIsNotTheListenCaller) {
  born(200, 20, "worker");
  opened(id, 100, "master");
  forked(100, 200, 20);
  exited(100);
  born(100, 90, "helper");
  forked(200, 100, 90);
  EXPECT_EQ(owner(id), 200U);
}

TEST_F(TableTest, AClosedListenerKeepsItsLastOwner) {
  born(100, 10, "java", "/shop");
  opened(id, 100, "java");
  closed(id);
  const Listener* listener = table.find(id);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(listener->closed);
  EXPECT_TRUE(listener->holders.empty());
  exited(100); // its exit comes after its sockets' end, or before
  const auto event = attributed(id);
  ASSERT_TRUE(event.owner);
  EXPECT_EQ(event.owner->pid, 100U);
  EXPECT_EQ(event.owner->cgroup, "/shop");
}

constexpr uint32_t killed = 9; // as wait(2) has it

TEST_F(TableTest, AListenerThatALookHeldLastWasEndedByItsLastHolder) {
  opened(id, 100, "master");
  forked(100, 101);
  exited(100);
  exited(101, killed);
  const auto end = table.closed(unit::closed_record(id, 0));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, AW_KILLED);
  EXPECT_EQ(end->pid, 101U);
  EXPECT_EQ(end->signal(), 9);
  EXPECT_EQ(table.find(id)->end->pid, 101U);
}

TEST_F(TableTest, HowAListenerEndedThatALookHeldLastIsNotKnownWhileSomebodyRunsOn) {
  opened(id, 100, "master");
  forked(100, 101);
  exited(101, killed);
  EXPECT_FALSE(table.closed(unit::closed_record(id, 0)));
}

TEST_F(TableTest, WhoeverExitedMayHaveClosedAListenerBeforeThatALookHeldLast) {
  opened(id, 100, "master");
  exited(100);
  EXPECT_FALSE(table.closed(unit::closed_record(id, 0)));
}

TEST_F(TableTest, WhoClosesAListenerIsBelievedWhoeverExitedBefore) {
  opened(id, 100, "master");
  exited(100, killed);
  aw_event record = unit::closed_record(id, 0);
  record.pid = 200;
  EXPECT_FALSE(table.closed(record)); // a worker of the kernel
  record.reason = AW_CLOSED;
  EXPECT_EQ(table.closed(record)->reason, AW_CLOSED);
}

TEST_F(TableTest, AClosedListenerIsNotTakenUpAgainByALateScanOrAccept) {
  opened(id, 100, "java");
  closed(id);
  held(id, 300, 1, 3, "late");
  accepts(id, 301, "late");
  EXPECT_EQ(owner(id), 100U);
  EXPECT_TRUE(table.find(id)->closed);
  EXPECT_TRUE(table.find(id)->holders.empty());
}

TEST_F(TableTest, TheEndOfAListenerThatNobodyKnowsIsNothing) {
  closed(id);
  EXPECT_EQ(table.find(id), nullptr);
}

TEST_F(TableTest, ClosedListenersAreKeptUpToALimitTheYoungestOnes) {
  constexpr size_t limit = ListenerTable::max_closed;
  for (uint64_t number = 1; number <= limit + 2; ++number) {
    opened(number, 100, "java");
    closed(number);
  }
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_EQ(table.find(2), nullptr);
  EXPECT_TRUE(table.find(3));
  EXPECT_TRUE(table.find(limit + 2));
}

TEST_F(TableTest, AListenerThatIsOpenIsNotForgottenForItsPast) {
  opened(id, 100, "java");
  closed(id);
  opened(id, 100, "java");
  for (uint64_t number = 1'000'000; number <= 1'000'000 + ListenerTable::max_closed; ++number) {
    opened(number, 200, "short");
    closed(number);
  }
  EXPECT_EQ(owner(id), 100U);
}

/// shutdown() and listen() on one socket, again and again.
TEST_F(TableTest, AListenerJustClosedIsKeptHoweverOftenItWasClosedBefore) {
  for (size_t round = 0; round <= ListenerTable::max_closed; ++round) {
    opened(id, 100, "java");
    closed(id);
  }
  EXPECT_EQ(owner(id), 100U);
}

TEST_F(TableTest, ARenamedHolderHasItsNewName) {
  opened(id, 100, "java");
  opened(id + 1, 100, "java");
  renamed(100, "shop");
  renamed(999, "stranger");
  EXPECT_EQ(attributed(id).owner->name, "shop");
  EXPECT_EQ(attributed(id + 1).owner->name, "shop");
}

TEST_F(TableTest, AnIdThatIsOpenedAgainIsANewListener) {
  opened(id, 100, "old");
  forked(100, 101);
  closed(id);
  opened(id, 200, "new");
  EXPECT_EQ(owner(id), 200U);
  EXPECT_EQ(attributed(id).owners, 1U);
  EXPECT_FALSE(table.find(id)->closed);
  exited(100); // holders of the old one
  forked(101, 102);
  EXPECT_EQ(owner(id), 200U);
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableTest, AnIdOpenedAgainWithoutItsEndBeingSeenIsANewListenerToo) {
  opened(id, 100, "old");
  opened(id, 200, "new");
  forked(100, 101);
  EXPECT_EQ(attributed(id).owners, 1U);
  EXPECT_EQ(owner(id), 200U);
}

TEST_F(TableTest, APolledListenerHasNoOwnerUntilAScanFindsOne) {
  opened(id, 0, "");
  EXPECT_FALSE(attributed(id).owner);
  EXPECT_EQ(attributed(id).owners, 0U);
  held(id, 100, 10, 3, "java");
  EXPECT_EQ(owner(id), 100U);
}

TEST_F(TableTest, AScanKeepsTheListenCaller) {
  opened(id, 200, "java");
  held(id, 100, 1, 3, "older");
  held(id, 200, 20, 3, "java");
  EXPECT_EQ(owner(id), 200U);
  EXPECT_EQ(attributed(id).owners, 2U);
}

/// What is shown is kept from record to record, until something changes.
TEST_F(TableTest, EventsNameTheOwnerAsItIsNow) {
  born(100, 10, "java", "/shop");
  opened(id, 100, "java");
  EXPECT_EQ(attributed(id).owner->name, "java");
  renamed(100, "shop");
  const auto event = attributed(id);
  EXPECT_EQ(event.owner->name, "shop");
  EXPECT_EQ(&*attributed(id).owner->cgroup, &*event.owner->cgroup) << "a copy for each record";
}

} // namespace
} // namespace acceptwatch
