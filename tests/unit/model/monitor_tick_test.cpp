// SPDX-License-Identifier: Apache-2.0
// What the monitor does in time: looks, sums, losses, comparisons, the end.
#include "support/monitor_fixture.h"

namespace acceptwatch {
namespace {

using namespace unit;

constexpr auto overflows = static_cast<size_t>(KernelCounter::listen_overflows);
constexpr auto drops = static_cast<size_t>(KernelCounter::listen_drops);

TEST_F(MonitorTest, WhatHadNoRecordOfItsOwnIsToldAsOneLikeTheLast) {
  scope.actions = 1U << AW_LISTEN_DROP;
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  sink.events.clear();
  host.sums_up = true;
  host.counted = {a_count(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_NONE, 42, 41)};
  tick_after(second);
  ASSERT_EQ(sink.events.size(), 1U);
  EXPECT_EQ(sink.events[0].count, 41U);
  EXPECT_EQ(sink.events[0].client_port, 51812);
  EXPECT_EQ(sink.events[0].time, at().wall_time());
  EXPECT_TRUE(monitor->is_busy());
  tick_after(tenth / 2);
  EXPECT_EQ(sink.events.size(), 1U) << "a tenth of a second has not passed";
}

TEST_F(MonitorTest, LossesAreToldOnceASecondAndOnce) {
  ASSERT_TRUE(begin());
  tick_after(second);
  host.lost = {.ring_buffer = 3, .counter_map = 2, .programs = 1, .followers = 0};
  tick_after(tenth);
  EXPECT_TRUE(sink.lost.empty());
  tick_after(second);
  ASSERT_EQ(sink.lost.size(), 3U);
  EXPECT_EQ(sink.lost[0].where, "ring_buffer");
  EXPECT_EQ(sink.lost[0].count, 3U);
  EXPECT_EQ(sink.lost[0].time, at().wall_time());
  EXPECT_EQ(sink.lost[1].where, "counter_map");
  EXPECT_EQ(sink.lost[2].where, "program");
  tick_after(second);
  EXPECT_EQ(sink.lost.size(), 3U);
  host.lost.ring_buffer = 10;
  tick_after(second);
  ASSERT_EQ(sink.lost.size(), 4U);
  EXPECT_EQ(sink.lost[3].count, 7U);
  EXPECT_EQ(monitor->snapshot().lost, 10U);
}

TEST_F(MonitorTest, AnExitAmongWhatWasLostIsFoundByAsking) {
  host.processes[4711] = {"java", second, {}, {{3, shop}}, {}};
  ASSERT_TRUE(begin());
  host.processes.clear();
  host.holders.clear();
  host.lost.followers = 1;
  const int looks = host.looks;
  tick_after(second);
  EXPECT_GT(host.looks, looks);
  host.holders.push_back(a_holder(shop, 80, 4712, "nginx")); // it was handed on
  tick_after(second);                                        // what the ring still held was read
  apply(about(shop, AW_LISTEN_DROP, AW_SYN_QUEUE_FULL));
  EXPECT_EQ(sink.events.at(0).owner->pid, 4712U);
}

TEST_F(MonitorTest, AfterALossThatNoLookCouldMakeGoodTheNextSecondLooksAgain) {
  scope.sees_queues = false;
  ASSERT_TRUE(begin());
  host.lost.followers = 1;
  host.look_fails = Error{ExitStatus::failed, "no", {}};
  tick_after(second);
  tick_after(second);
  EXPECT_EQ(host.looks, 3);
  host.look_fails.reset();
  tick_after(second);
  tick_after(second);
  EXPECT_EQ(host.looks, 4);
}

TEST_F(MonitorTest, QueuesAreLookedAtOnceASecondWhileAllIsWell) {
  ASSERT_TRUE(begin());
  EXPECT_FALSE(monitor->is_busy());
  for (int i = 0; i < 50; ++i)
    tick_after(tenth);
  EXPECT_GE(host.looks, 5);
  EXPECT_LE(host.looks, 6);
}

TEST_F(MonitorTest, QueuesAreLookedAtFourTimesASecondInTrouble) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_TRUE(monitor->is_busy());
  tick_after(second); // from here on
  const int before = host.looks;
  for (int i = 0; i < 40; ++i)
    tick_after(tenth);
  EXPECT_GE(host.looks - before, 12);
  EXPECT_LE(host.looks - before, 16);
}

TEST_F(MonitorTest, LooksTakeNoMoreThanAHundredthOfTheTimeWhileAllIsWell) {
  host.look_ns = tenth;
  ASSERT_TRUE(begin());
  for (int i = 0; i < 90; ++i)
    tick_after(tenth);
  EXPECT_EQ(host.looks, 1) << "the next after ten seconds";
  for (int i = 0; i < 20; ++i)
    tick_after(tenth);
  EXPECT_EQ(host.looks, 2);
}

TEST_F(MonitorTest, WhereLooksShowNoQueuesTheyAreMadeForHoldersOnly) {
  scope.sees_queues = false;
  ASSERT_TRUE(begin());
  for (int i = 0; i < 50; ++i)
    tick_after(tenth);
  EXPECT_EQ(host.looks, 1);
}

TEST_F(MonitorTest, CountersAreComparedEveryTenSeconds) {
  ASSERT_TRUE(begin());
  EXPECT_EQ(host.readings_taken, 2) << "before and after the begin";
  tick_after(9 * second);
  EXPECT_EQ(host.readings_taken, 2);
  tick_after(second);
  EXPECT_EQ(host.readings_taken, 4);
  tick_after(second);
  EXPECT_EQ(host.readings_taken, 4);
}

TEST_F(MonitorTest, ComparingTakesNoMoreThanAHundredthOfTheTime) {
  host.readings_ns = second / 4; // twice that for each comparison: 50 s
  ASSERT_TRUE(begin());
  tick_after(10 * second);
  EXPECT_EQ(host.readings_taken, 4);
  tick_after(49 * second);
  EXPECT_EQ(host.readings_taken, 4);
  tick_after(second);
  EXPECT_EQ(host.readings_taken, 6);
}

TEST_F(MonitorTest, CountersThatWereExplainedAgree) {
  ASSERT_TRUE(begin());
  host.counted = {a_count(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK, 5)};
  host.readings[a_netns].values[overflows] = 5;
  host.readings[a_netns].values[drops] = 5;
  monitor->audit(at());
  const auto audit = monitor->snapshot().audit;
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->sums.size(), 2U);
  EXPECT_FALSE(differs(audit->sums[0]) || differs(audit->sums[1]));
  EXPECT_EQ(audit->sums[0].kernel, 5U);
}

TEST_F(MonitorTest, CountersThatNobodyExplainedDiffer) {
  ASSERT_TRUE(begin());
  host.readings[a_netns].values[overflows] = 2;
  host.lost.counter_map = 1;
  monitor->audit(at());
  const auto audit = monitor->snapshot().audit;
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->sums.size(), 1U);
  EXPECT_EQ(audit->sums[0].kernel, 2U);
  EXPECT_EQ(audit->sums[0].explained, 0U);
  EXPECT_EQ(audit->sums[0].why, "1 occurrences found no room in the counter map");
}

TEST_F(MonitorTest, UnderAFilterThatTheKernelDoesNotKnowEvidenceAloneIsRead) {
  scope.incomparable = {"port=80"};
  host.readings[a_netns].evidence.fill(0);
  ASSERT_TRUE(begin());
  host.readings[a_netns].evidence[static_cast<size_t>(EvidenceCounter::syn_challenge)] = 4;
  tick_after(20 * second);
  ASSERT_EQ(monitor->snapshot().evidence.size(), 1U);
  EXPECT_EQ(monitor->snapshot().evidence[0].count, 4U);
  const auto audit = monitor->snapshot().audit;
  EXPECT_EQ(audit->incomparable, scope.incomparable);
  EXPECT_TRUE(audit->sums.empty());
}

TEST_F(MonitorTest, WhatTheKernelCountsAfterTheStopIsNotCompared) {
  ASSERT_TRUE(begin());
  bool deactivated = false;
  monitor->stop(
      [&] {
        deactivated = true;
        EXPECT_EQ(host.readings_taken, 3) << "between the two readings";
      },
      at());
  EXPECT_TRUE(deactivated);
  host.readings[a_netns].values[overflows] = 9;
  tick_after(60 * second);
  EXPECT_EQ(host.readings_taken, 4);
  EXPECT_TRUE(monitor->snapshot().audit->sums.empty());
}

TEST_F(MonitorTest, TheEndTellsWhatIsDueAndReadsTimesOfAccept) {
  ASSERT_TRUE(begin());
  tick_after(second);
  host.sums_up = true;
  host.counted = {a_count(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK, 9, 9)};
  host.lost.counter_map = 4;
  host.times[shop].accepted = 12;
  const int looks = host.looks;
  monitor->stop([] {}, at());
  monitor->finish(at());
  EXPECT_EQ(told(), Told{"listen_drop"});
  EXPECT_EQ(sink.lost.size(), 1U);
  EXPECT_EQ(host.looks, looks + 1) << "how the queues are at the end";
  const Snapshot snapshot = monitor->snapshot();
  ASSERT_EQ(snapshot.listeners.size(), 1U);
  EXPECT_EQ(snapshot.listeners[0].accepted, 12U);
  EXPECT_EQ(snapshot.listeners[0].lost, 9U);
  EXPECT_DOUBLE_EQ(snapshot.seconds, 1);
}

TEST_F(MonitorTest, TimesOfAcceptAreNotAskedForWhereItIsNotSeen) {
  scope.sees_accept = false;
  ASSERT_TRUE(begin());
  host.times[shop].accepted = 12;
  monitor->finish(at());
  EXPECT_TRUE(monitor->snapshot().listeners.empty());
}

TEST_F(MonitorTest, TimesOfAcceptAreOfListenersThatAreWanted) {
  scope.owners.names = {"nginx"};
  host.holders.push_back(a_holder(8, 81, 4712, "nginx"));
  ASSERT_TRUE(begin());
  host.times[shop].accepted = host.times[8].accepted = 12;
  monitor->finish(at());
  const Snapshot snapshot = monitor->snapshot();
  ASSERT_EQ(snapshot.listeners.size(), 1U);
  EXPECT_EQ(snapshot.listeners[0].port, 81);
}

TEST_F(MonitorTest, TotalsLeaveOutWhatIsNoLossAndWhatNobodyAskedFor) {
  scope.actions = ~(1U << AW_RESET_SENT);
  ASSERT_TRUE(begin());
  host.counted = {a_count(shop, AW_LISTENER_OPENED, AW_REASON_NONE, AW_STAGE_NONE, 1),
                  a_count(shop, AW_LISTENER_CLOSED, AW_REASON_NONE, AW_STAGE_NONE, 1),
                  a_count(shop, AW_QUEUE_PRESSURE, AW_REASON_NONE, AW_STAGE_NONE, 1),
                  a_count(shop, AW_RESET_SENT, AW_ABORT_ON_OVERFLOW, AW_STAGE_ACK, 1),
                  a_count(shop, AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL, AW_STAGE_SYN, 4)};
  monitor->audit(at());
  const auto totals = monitor->snapshot().totals;
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].action, AW_SYNCOOKIE_SENT);
  EXPECT_EQ(totals[0].owner->name, "java");
}

TEST_F(MonitorTest, ASnapshotAmongTenThousandListenersHasThoseWithSomethingToTell) {
  constexpr uint64_t many = 10'000;
  host.holders.clear();
  for (uint64_t id = 1; id <= many; ++id)
    host.holders.push_back(a_holder(id, static_cast<uint16_t>(1000 + id), 4711, "java"));
  ASSERT_TRUE(begin());
  for (const uint64_t id : {3ULL, 5'000ULL, 9'999ULL})
    host.counted.push_back(a_count(id, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK, id / 3));
  monitor->audit(at());
  const Snapshot snapshot = monitor->snapshot();
  ASSERT_EQ(snapshot.listeners.size(), 3U);
  EXPECT_EQ(snapshot.listeners[0].port, 1000 + 9'999);
  EXPECT_EQ(snapshot.listeners[2].lost, 1U);
  EXPECT_EQ(snapshot.totals.size(), 3U);
}

TEST_F(MonitorTest, ThereIsALastLookAtTheEnd) {
  ASSERT_TRUE(begin());
  const int looks = host.looks;
  monitor->finish(at());
  EXPECT_EQ(host.looks, looks + 1);
}

TEST_F(MonitorTest, TheLastLookIsLeftOutWhereLooksTakeLong) {
  host.look_ns = second / 2;
  ASSERT_TRUE(begin());
  const int looks = host.looks;
  monitor->finish(at());
  EXPECT_EQ(host.looks, looks);
}

TEST_F(MonitorTest, CountersOfAClosedListenerAreReclaimedOnceNothingFollows) {
  ASSERT_TRUE(begin());
  tick_after(second);
  EXPECT_FALSE(control.use_of); // nothing to do
  apply(about(shop, AW_LISTENER_CLOSED));
  tick_after(second);
  ASSERT_TRUE(control.use_of);
  EXPECT_EQ(control.use_of(shop), ListenerUse::open);
  EXPECT_EQ(control.use_of(99), ListenerUse::unknown);
  tick_after(second);
  tick_after(second);
  EXPECT_EQ(control.use_of(shop), ListenerUse::over);
  control.use_of = {};
  tick_after(10 * second);
  EXPECT_FALSE(control.use_of); // nor any more
}

TEST_F(MonitorTest, WhereAcceptIsNotSeenAPortWhereConnectionsWaitIsMeasured) {
  scope.sees_accept = false;
  ASSERT_TRUE(begin());
  EXPECT_FALSE(monitor->is_busy());
  waits(host.holders[0], 2, now);
  tick_after(second);
  EXPECT_EQ(control.counted, std::set<uint16_t>{80});
  EXPECT_TRUE(monitor->is_busy());
}

} // namespace
} // namespace acceptwatch
