// SPDX-License-Identifier: Apache-2.0
// What records cannot say: descriptors that were closed, one copy of several.
#include "support/table_fixture.h"

namespace acceptwatch {
namespace {

using unit::TableTest;
constexpr uint64_t id = 4711;

class TableWithProc : public TableTest {
protected:
  /// A process that holds `id` as descriptor `fd`, for /proc and for the table.
  void holds(uint32_t pid, uint64_t start_ns, int fd, const std::string& name) {
    born(pid, start_ns, name);
    host.processes[pid].sockets[fd] = id;
    held(id, pid, start_ns, static_cast<uint32_t>(fd), name);
  }

  void closes_its_copy(uint32_t pid) { host.processes[pid].sockets.clear(); }
};

TEST_F(TableWithProc, OneThatClosedItsCopyIsNoHolderAnyMore) {
  holds(100, 10, 3, "master");
  holds(200, 20, 3, "worker");
  closes_its_copy(100);
  const auto event = verified(id, 1);
  EXPECT_EQ(event.owners, 1U);
  ASSERT_TRUE(event.owner);
  EXPECT_EQ(event.owner->pid, 200U);
}

TEST_F(TableWithProc, TheListenCallerOwnsOnlyWhileItHoldsTheSocket) {
  born(100, 10, "starter");
  host.processes[100].sockets[3] = id;
  opened(id, 100, "starter");
  holds(200, 20, 3, "service"); // was passed the socket
  EXPECT_EQ(verified(id, 1).owner->pid, 100U);
  closes_its_copy(100);
  EXPECT_EQ(verified(id, 2).owner->pid, 200U);
}

TEST_F(TableWithProc, WhoClosedItsCopyDoesNotPassItOnToChildren) {
  holds(100, 10, 3, "master");
  holds(200, 20, 3, "worker");
  closes_its_copy(100);
  ASSERT_EQ(verified(id, 1).owners, 1U);
  forked(100, 300);
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableWithProc, AChildFromBeforeTheParentClosedItsCopyIsFoundAllTheSame) {
  born(100, 10, "master");
  opened(id, 100, "master");
  verified(id, 1); // read late: the master has let go, its fork is still to be read
  born(200, 20, "worker");
  host.processes[200].sockets[3] = id;
  forked(100, 200);
  const auto event = verified(id, 2);
  EXPECT_EQ(event.owners, 1U);
  ASSERT_TRUE(event.owner);
  EXPECT_EQ(event.owner->pid, 200U);
}

TEST_F(TableWithProc, WhoLetGoAndTookItAgainHoldsItOnce) {
  holds(100, 10, 3, "master");
  holds(200, 20, 3, "worker");
  closes_its_copy(100);
  ASSERT_EQ(verified(id, 1).owners, 1U);
  holds(100, 10, 5, "master");
  EXPECT_EQ(verified(id, 2).owners, 2U);
  exited(100);
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableWithProc, AListenThatIsReadLateKeepsWhomAScanHasFound) {
  holds(200, 20, 3, "worker");
  born(100, 10, "master");
  opened(id, 100, "master");
  EXPECT_EQ(attributed(id).owner->pid, 100U);
  EXPECT_EQ(attributed(id).owners, 2U);
  EXPECT_EQ(verified(id, 1).owner->pid, 200U);
}

TEST_F(TableWithProc, AListenThatIsReadLateNamesItsCallerAsItWasThen) {
  holds(100, 10, 3, "after-exec");
  opened(id, 100, "before-exec");
  EXPECT_EQ(attributed(id).owner->name, "before-exec");
  EXPECT_EQ(attributed(id).owners, 1U);
  executed(100, "after-exec");
  EXPECT_EQ(attributed(id).owner->name, "after-exec");
}

TEST_F(TableWithProc, WhoseExitWasNotReportedIsDroppedAtTheSecondLook) {
  holds(100, 10, 3, "master");
  holds(200, 20, 3, "worker");
  host.processes.erase(100);
  table.suspect_exits();
  EXPECT_EQ(attributed(id).owner->pid, 100U);
  table.drop_suspects();
  EXPECT_EQ(attributed(id).owner->pid, 200U);
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableWithProc, WhoIsThereIsNotSuspected) {
  holds(100, 10, 3, "master");
  table.suspect_exits();
  host.processes.erase(100); // its exit will be reported
  table.drop_suspects();
  EXPECT_EQ(attributed(id).owner->pid, 100U);
}

TEST_F(TableWithProc, AnotherDescriptorWillDo) {
  holds(100, 10, 3, "master");
  host.processes[100].sockets = {{9, id}};
  EXPECT_EQ(verified(id, 1).owners, 1U);
  EXPECT_EQ(table.find(id)->holders.front().fd, 9);
}

TEST_F(TableWithProc, TheDescriptorThatIsKnownIsTriedFirst) {
  holds(100, 10, 7, "master");
  table.verify(id, 1, 1);
  EXPECT_EQ(host.last_hint, 7);
}

TEST_F(TableWithProc, HoldersAreComparedOnceInABatch) {
  holds(100, 10, 3, "master");
  for (int event = 0; event < 3; ++event)
    EXPECT_TRUE(table.verify(id, 1, 1));
  EXPECT_EQ(host.searches, 1);
  EXPECT_TRUE(table.verify(id, 2, 2));
  EXPECT_EQ(host.searches, 2);
}

TEST_F(TableWithProc, AHolderThatCameSinceIsComparedInTheSameBatch) {
  holds(100, 10, 3, "master");
  EXPECT_EQ(verified(id, 1).owners, 1U);
  holds(200, 20, 3, "worker");
  closes_its_copy(200);
  EXPECT_EQ(verified(id, 1).owners, 1U);
}

TEST_F(TableWithProc, ComparisonSaysWhetherAnybodyIsKnownToHoldIt) {
  EXPECT_FALSE(table.verify(id, 1, 1)); // nobody knows it
  holds(100, 10, 3, "master");
  EXPECT_TRUE(table.verify(id, 1, 1));
  closes_its_copy(100);
  EXPECT_FALSE(table.verify(id, 2, 2));
  EXPECT_FALSE(table.verify(id, 2, 2));
}

TEST_F(TableWithProc, OneThatProcDoesNotShowStaysUntilItsExitIsReported) {
  holds(100, 10, 3, "master");
  holds(200, 20, 3, "worker");
  host.processes.erase(100);
  EXPECT_EQ(verified(id, 1).owners, 2U);
  EXPECT_EQ(owner(id), 100U);
  exited(100);
  EXPECT_EQ(owner(id), 200U);
}

TEST_F(TableWithProc, ThePreviousOwnerIsNamedWhenAllClosedTheirCopiesAtOnce) {
  holds(100, 10, 3, "master");
  holds(200, 20, 3, "worker");
  ASSERT_EQ(owner(id), 100U);
  closes_its_copy(100);
  closes_its_copy(200);
  const auto event = verified(id, 1);
  ASSERT_TRUE(event.owner);
  EXPECT_EQ(event.owner->pid, 100U);
}

TEST_F(TableWithProc, ThePreviousOwnerIsNamedWhateverTheOrderOfHolders) {
  holds(200, 20, 3, "worker");
  holds(100, 10, 3, "master");
  closes_its_copy(100);
  closes_its_copy(200);
  EXPECT_EQ(verified(id, 1).owner->pid, 100U);
}

TEST_F(TableWithProc, AnIdThatIsAnAddressIsNotLookedForInProc) {
  constexpr uint64_t address = 0xFFFF'8880'1234'5678;
  born(100, 10, "kernel-made");
  held(address, 100, 10, 3, "kernel-made");
  EXPECT_EQ(verified(address, 1).owners, 1U);
  executed(100, "other");
  EXPECT_EQ(verified(address, 2).owners, 1U);
  EXPECT_EQ(host.searches, 0);
}

TEST_F(TableWithProc, AClosedListenerIsNotLookedForInProc) {
  holds(100, 10, 3, "java");
  closed(id);
  EXPECT_EQ(verified(id, 1).owner->pid, 100U);
  EXPECT_EQ(host.searches, 0);
}

TEST_F(TableWithProc, ExecGivesTheHolderItsNewName) {
  holds(100, 10, 3, "sh");
  executed(100, "java");
  const auto event = attributed(id);
  EXPECT_EQ(event.owners, 1U);
  EXPECT_EQ(event.owner->name, "java");
}

TEST_F(TableWithProc, ExecClosesWhatIsMarkedCloexec) {
  holds(100, 10, 3, "server");
  holds(200, 20, 3, "server");
  closes_its_copy(200);
  executed(200, "ls");
  EXPECT_EQ(attributed(id).owners, 1U);
  EXPECT_EQ(owner(id), 100U);
  forked(200, 300); // inherits nothing
  EXPECT_EQ(attributed(id).owners, 1U);
}

TEST_F(TableWithProc, ExecOfOneThatProcDoesNotShowKeepsIt) {
  holds(100, 10, 3, "sh");
  host.processes.erase(100);
  executed(100, "java");
  EXPECT_EQ(owner(id), 100U);
  EXPECT_EQ(attributed(id).owner->name, "java");
}

TEST_F(TableWithProc, ExecOfAStrangerChangesNothing) {
  holds(100, 10, 3, "java");
  executed(999, "ls");
  EXPECT_EQ(attributed(id).owner->name, "java");
}

} // namespace
} // namespace acceptwatch
