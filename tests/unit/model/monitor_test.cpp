// SPDX-License-Identifier: Apache-2.0
// Records, one by one: whose they are, who wants them, what is told of them.
#include "support/monitor_fixture.h"

namespace acceptwatch {
namespace {

using namespace unit;

TEST_F(MonitorTest, ListenersThatAreThereAreFoundAtTheBegin) {
  ASSERT_TRUE(begin());
  EXPECT_EQ(host.looks, 1);
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  ASSERT_EQ(told(), Told{"listen_drop"});
}

TEST_F(MonitorTest, WhatCannotBeActivatedBeginsNothing) {
  monitor.emplace(scope, reasons, host, control, sink);
  const auto begun =
      monitor->begin([]() -> Result<Instant> { return failure("no program was attached"); });
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().what, "no program was attached");
  EXPECT_EQ(host.looks, 0);
}

TEST_F(MonitorTest, AHostThatCannotBeLookedAtBeginsNothing) {
  host.look_fails = Error{ExitStatus::failed, "the iterator fails", {}};
  const auto begun = begin();
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().what, "the iterator fails");
}

TEST_F(MonitorTest, AnEventNamesItsOwnerTheKernelsReasonAndItsTime) {
  ASSERT_TRUE(begin());
  now += second;
  auto record = about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL);
  record.reason_space = AW_SKB_DROP_REASON;
  record.header.boot_ns = now - tenth;
  host.processes[4711].sockets[3] = shop;
  host.state.emplace().threads.total = 3;
  apply(record, 5);
  ASSERT_EQ(sink.events.size(), 1U);
  const Event& event = sink.events[0];
  ASSERT_TRUE(event.owner);
  EXPECT_EQ(event.owner->pid, 4711U);
  EXPECT_EQ(event.owner->name, "java");
  EXPECT_EQ(event.count, 5U);
  EXPECT_EQ(event.kernel_reason, "TCP_LISTEN_OVERFLOW");
  EXPECT_EQ(event.time, static_cast<Timestamp>(now - tenth) + wall_offset);
  ASSERT_TRUE(event.owner_state) << "a full accept queue says what its owner does";
  EXPECT_EQ(event.owner_state->threads.total, 3U);
}

TEST_F(MonitorTest, OtherLossesDoNotAskWhatTheOwnerDoes) {
  ASSERT_TRUE(begin());
  host.state.emplace();
  apply(about(shop, AW_LISTEN_DROP, AW_SYN_QUEUE_FULL));
  EXPECT_FALSE(sink.events.at(0).owner_state);
  EXPECT_EQ(host.states, 0);
}

TEST_F(MonitorTest, WhoCallsListenOwnsTheListenerWithoutALook) {
  ASSERT_TRUE(begin());
  apply(opened(8, 81, 4712, "nginx"));
  EXPECT_EQ(host.looks, 1);
  ASSERT_EQ(sink.events.size(), 1U);
  EXPECT_EQ(sink.events[0].owner->name, "nginx");
}

TEST_F(MonitorTest, AListenerThatNobodyIsKnownToHoldIsLookedFor) {
  ASSERT_TRUE(begin());
  host.holders.push_back(a_holder(8, 81, 4712, "nginx"));
  now += second;
  apply(about(8, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 81));
  EXPECT_EQ(host.looks, 2);
  EXPECT_EQ(sink.events.at(0).owner->name, "nginx");
}

TEST_F(MonitorTest, LooksForHoldersArePacedByTheTimeThatTheyTake) {
  host.look_ns = tenth; // 20 times that: two seconds without another
  ASSERT_TRUE(begin());
  now += tenth;
  for (int i = 0; i < 10; ++i) {
    apply(about(8, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 81));
    now += tenth;
  }
  EXPECT_EQ(host.looks, 1);
  now += 2 * second;
  apply(about(8, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 81));
  EXPECT_EQ(host.looks, 2);
}

TEST_F(MonitorTest, WhereAcceptIsNotSeenEachRecordLooksForOtherHolders) {
  scope.sees_accept = false;
  scope.tier = AW_SOURCE_TRACEPOINT;
  ASSERT_TRUE(begin());
  now += second;
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_EQ(host.looks, 2);
}

TEST_F(MonitorTest, WhereAcceptIsNotSeenAListenThatWasSeenNeedsNoLook) {
  scope.sees_accept = false;
  ASSERT_TRUE(begin());
  now += second;
  apply(opened(8, 81, 4712, "nginx"));
  EXPECT_EQ(host.looks, 1);
}

TEST_F(MonitorTest, AClosedListenersRecordsAreNotLookedFor) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTENER_CLOSED));
  now += second;
  apply(about(shop, AW_RESET_SENT, AW_CLOSED_LISTENER));
  EXPECT_EQ(host.looks, 1);
  EXPECT_EQ(told(), (Told{"listener_closed", "reset_sent"}));
}

TEST_F(MonitorTest, AProcessThatExitsIsStillNamedByWhatItLeaves) {
  ASSERT_TRUE(begin());
  apply(changed(AW_PROCESS_EXIT, 4711, ""));
  apply(about(shop, AW_LISTENER_CLOSED));
  EXPECT_EQ(sink.events.at(0).owner->name, "java");
}

TEST_F(MonitorTest, APacketThatCameToNoListenerIsOfWhoListensThere) {
  ASSERT_TRUE(begin());
  apply(to(80, AW_LISTEN_DROP, AW_FIREWALL));
  ASSERT_EQ(sink.events.size(), 1U);
  EXPECT_EQ(sink.events[0].listener, shop);
  EXPECT_EQ(sink.events[0].owner->name, "java");
}

TEST_F(MonitorTest, APacketThatPassesIsOfNoListener) {
  ASSERT_TRUE(begin());
  aw_event record = to(80, AW_LISTEN_DROP, AW_FIREWALL);
  record.flags |= AW_IS_PASSING;
  record.nat_port = 80;
  apply(record);
  EXPECT_EQ(sink.events.at(0).listener, 0U);
  EXPECT_FALSE(sink.events.at(0).owner);
}

TEST_F(MonitorTest, ATranslatedPacketIsOfWhoListensBehindIt) {
  ASSERT_TRUE(begin());
  aw_event record = to(443, AW_LISTEN_DROP, AW_FIREWALL);
  std::ranges::copy(record.ends.server_address, record.nat_address);
  record.nat_port = 80;
  apply(record);
  EXPECT_EQ(sink.events.at(0).listener, shop);
}

TEST_F(MonitorTest, WhatIsExplainedIsFollowedToWhereItIsSentOn) {
  scope.explained = 443;
  scope.ports.emplace().set(443);
  host.translated = {{unit::an_address("10.0.0.5"), 443, {unit::an_address("10.0.0.5"), 80}}};
  ASSERT_TRUE(begin());
  now += second;
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  ASSERT_EQ(sink.events.size(), 1U);
  EXPECT_EQ(sink.events[0].server_port, 443);
  EXPECT_EQ(sink.events[0].server_nat->port, 80);
}

TEST_F(MonitorTest, AnotherPortThatNothingIsSentOnToIsNotTold) {
  scope.explained = 443;
  scope.ports.emplace().set(443);
  host.translated = {{unit::an_address("10.0.0.5"), 443, {unit::an_address("10.0.0.5"), 81}}};
  ASSERT_TRUE(begin());
  now += second;
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_EQ(sink.events.size(), 0U);
}

TEST_F(MonitorTest, OfAGroupOfSeveralProcessesNobodyIsNamed) {
  host.holders.push_back(a_holder(8, 80, 4712, "java"));
  ASSERT_TRUE(begin());
  apply(to(80, AW_LISTEN_DROP, AW_FIREWALL));
  EXPECT_EQ(sink.events.at(0).listener, 0U);
  EXPECT_FALSE(sink.events.at(0).owner);
}

TEST_F(MonitorTest, APacketToAPortWithoutAListenerNamesWhoListenedThere) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTENER_CLOSED));
  now += second / 2;
  apply(to(80, AW_RESET_SENT, AW_NO_LISTENER));
  const Event& event = sink.events.at(1);
  ASSERT_TRUE(event.former);
  EXPECT_EQ(event.former->owner.name, "java");
  EXPECT_DOUBLE_EQ(event.former->closed_seconds_ago, 0.5);
}

TEST_F(MonitorTest, ARefusalOfBeforeTheCloseHasNoFormerListener) {
  ASSERT_TRUE(begin());
  auto refused = to(80, AW_RESET_SENT, AW_NO_LISTENER);
  refused.header.boot_ns = now - second;
  apply(about(shop, AW_LISTENER_CLOSED));
  apply(refused);
  EXPECT_FALSE(sink.events.at(1).former);
}

TEST_F(MonitorTest, ARefusalThatNamesNoPortHasNoFormerListener) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTENER_CLOSED));
  auto refused = to(80, AW_RESET_SENT, AW_NO_LISTENER);
  refused.flags = 0;
  apply(refused);
  EXPECT_FALSE(sink.events.at(1).former);
}

TEST_F(MonitorTest, OwnersThatNobodyAskedForAreMutedForASecond) {
  scope.owners.names = {"nginx"};
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_EQ(told(), Told{});
  EXPECT_EQ(control.muted, std::set<uint64_t>{shop});
  EXPECT_EQ(control.muted_until_ns, now + second);
}

TEST_F(MonitorTest, AMutedListenerIsHeardAgainWhenItsOwnerIsWanted) {
  scope.owners.names = {"nginx"};
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  apply(changed(AW_PROCESS_EXEC, 4711, "sh"));
  EXPECT_EQ(control.muted, std::set<uint64_t>{shop}) << "another that is not wanted";
  apply(changed(AW_PROCESS_EXEC, 4711, "nginx"));
  EXPECT_EQ(control.muted, std::set<uint64_t>{});
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_EQ(told(), Told{"listen_drop"});
}

TEST_F(MonitorTest, AMutedListenersNumberIsHeardAgainOnceItIsClosed) {
  scope.owners.names = {"nginx"};
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTENER_CLOSED));
  apply(changed(AW_PROCESS_EXIT, 4711, ""));
  EXPECT_EQ(control.muted, std::set<uint64_t>{});
}

TEST_F(MonitorTest, UnderAFilterByOwnerWhatIsNobodysIsNotTold) {
  scope.owners.pids = {4711};
  ASSERT_TRUE(begin());
  apply(to(81, AW_RESET_SENT, AW_NO_LISTENER));
  EXPECT_EQ(told(), Told{});
  EXPECT_TRUE(control.muted.empty());
}

TEST_F(MonitorTest, UnderAFilterByOwnerPacketsThatCameToNoListenerAreCountedForItsOwn) {
  scope.owners.names = {"java"};
  ASSERT_TRUE(begin());
  apply(to(80, AW_LISTEN_DROP, AW_FIREWALL), 3);
  host.counted = {a_count(0, AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_NONE, 90),
                  a_count(shop, AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, AW_STAGE_SYN, 2)};
  monitor->audit(at());
  const auto totals = monitor->snapshot().totals;
  ASSERT_EQ(totals.size(), 2U) << "the 90 are anybody's";
  EXPECT_EQ(totals[0].reason, AW_FIREWALL);
  EXPECT_EQ(totals[0].count, 3U);
  EXPECT_EQ(totals[1].count, 2U);
}

TEST_F(MonitorTest, OnlyActionsThatAreWantedAreTold) {
  scope.actions = 1U << AW_RESET_SENT;
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  apply(about(shop, AW_RESET_SENT, AW_ABORT_ON_OVERFLOW));
  EXPECT_EQ(told(), Told{"reset_sent"});
}

TEST_F(MonitorTest, ListenersOfAnotherFamilyAreNotTold) {
  scope.family = AF_INET6;
  ASSERT_TRUE(begin());
  apply(opened(8, 81, 4712, "nginx"));
  auto record = opened(9, 82, 4712, "nginx");
  record.listener = a_listener(9, 82, "2001:db8::5");
  apply(record);
  ASSERT_EQ(sink.events.size(), 1U);
  EXPECT_EQ(sink.events[0].listener, 9U);
}

TEST_F(MonitorTest, PortsThatNobodyAskedForMakeNoFinding) {
  scope.ports.emplace().set(81);
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_AUTHENTICATION));
  tick_after(tenth);
  EXPECT_TRUE(monitor->snapshot().findings.empty());
}

TEST_F(MonitorTest, NoMoreIsToldThanSomebodyWanted) {
  scope.most_events = 2;
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_FALSE(monitor->has_told_all());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_TRUE(monitor->has_told_all());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  EXPECT_EQ(told().size(), 2U);
  EXPECT_EQ(monitor->snapshot().records, 2U);
}

TEST_F(MonitorTest, ARecordOfAHolderIsNoneOfTheRings) {
  ASSERT_TRUE(begin());
  apply(a_holder(8, 81, 4712, "nginx"));
  EXPECT_EQ(told(), Told{});
}

TEST_F(MonitorTest, ChainsAreWatchedUntilNoneHasDroppedAPacketForAMinute) {
  ASSERT_TRUE(begin());
  host.chain_of_all = Chain{"filter", "input"};
  auto dropped = to(80, AW_LISTEN_DROP, AW_FIREWALL);
  EXPECT_FALSE(control.watches_chains);
  apply(dropped);
  EXPECT_TRUE(control.watches_chains);
  EXPECT_FALSE(sink.events.at(0).chain) << "the first was dropped before they were watched";
  dropped.chain = 5;
  tick_after(30 * second);
  apply(dropped);
  ASSERT_TRUE(sink.events.at(sink.events.size() - 1).chain);
  EXPECT_EQ(sink.events.back().chain->name, "input");
  tick_after(59 * second);
  EXPECT_TRUE(control.watches_chains);
  tick_after(second);
  EXPECT_FALSE(control.watches_chains);
}

} // namespace
} // namespace acceptwatch
