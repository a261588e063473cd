// SPDX-License-Identifier: Apache-2.0
// Facts from records, looks and the host, and the events that follow from them.
#include "support/monitor_fixture.h"

#include <fmt/format.h>

namespace acceptwatch {
namespace {

using namespace unit;

class IncidentsTest : public MonitorTest {
protected:
  aw_holder& holder() { return host.holders.at(0); }

  /// Nothing is accepted from a full queue for so long.
  void hang(double seconds) {
    const uint64_t since = now;
    for (double passed = 0; passed < seconds; passed += 0.25) {
      waits(holder(), 11, since);
      tick_after(second / 4);
    }
  }

  /// A SYN to `shop` that was answered with a cookie.
  [[nodiscard]] aw_event cookie() const {
    auto sent = about(shop, AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL);
    sent.stage = AW_STAGE_SYN;
    return sent;
  }

  /// 200 cookies, of the 1,000 that the host has counted; 500 have come back to it.
  void send_cookies_first() {
    host.cookie_counts = CookieCounts{1000, 500};
    apply(cookie(), 200);
    tick_after(tenth);
  }

  [[nodiscard]] std::vector<std::string> verdicts() const {
    std::vector<std::string> names;
    for (const Event& event : sink.events) {
      if (event.verdict)
        names.push_back(fmt::format("{}{}", event.verdict->has_ended() ? '-' : '+',
                                    event.verdict->finding.name));
    }
    return names;
  }

  static bool has(const std::vector<std::string>& texts, const char* text) {
    return std::ranges::find(texts, text) != texts.end();
  }

  [[nodiscard]] const Event* first(aw_action action) const {
    const auto found = std::ranges::find(sink.events, action, &Event::action);
    return found == sink.events.end() ? nullptr : &*found;
  }
};

TEST_F(IncidentsTest, AServerThatAcceptsNothingIsToldToStallOnce) {
  ASSERT_TRUE(begin());
  host.state.emplace().threads.total = 5;
  hang(3);
  const Event* stalled = first(AW_ACCEPT_STALLED);
  ASSERT_TRUE(stalled);
  EXPECT_EQ(stalled->listener, shop);
  EXPECT_EQ(stalled->server_port, 80);
  EXPECT_EQ(stalled->socket, 1007U);
  EXPECT_EQ(stalled->netns, a_netns);
  EXPECT_EQ(stalled->source, AW_SOURCE_FENTRY);
  EXPECT_EQ(stalled->owner->name, "java");
  EXPECT_EQ(stalled->accept_queue, (Queue{11, 10}));
  EXPECT_GE(stalled->oldest_seconds.value_or(0), 1);
  EXPECT_EQ(std::ranges::count(sink.events, AW_ACCEPT_STALLED, &Event::action), 1);
}

TEST_F(IncidentsTest, AStallOfAServerWithoutDescriptorsSaysSo) {
  host.processes[4711] = {"java", second, {}, {{3, shop}}, FileUsage{64, 64}};
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  hang(3);
  const Event* stalled = first(AW_ACCEPT_STALLED);
  ASSERT_TRUE(stalled);
  ASSERT_TRUE(stalled->shortage);
  EXPECT_FALSE(stalled->shortage->of_host);
  EXPECT_EQ(stalled->shortage->files.limit, 64U);
  EXPECT_TRUE(has(verdicts(), "+descriptors_exhausted"));
}

TEST_F(IncidentsTest, AHostWithoutFilesIsSaidToHaveNone) {
  host.files = FileUsage{1000, 1000};
  ASSERT_TRUE(begin());
  hang(2);
  EXPECT_TRUE(has(verdicts(), "+host_files_exhausted"));
}

TEST_F(IncidentsTest, AServerThatHangsIsFoundAndItsEndIsTold) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL));
  hang(3);
  EXPECT_EQ(verdicts(), Told{"+stuck_acceptor"});
  const Event* finding = first(AW_FINDING);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->server_port, 80);
  EXPECT_EQ(finding->owner->pid, 4711U);
  EXPECT_EQ(finding->accept_queue, (Queue{11, 10}));
  sink.events.clear();
  waits(holder(), 0, 0);
  tick_after(second);
  EXPECT_EQ(verdicts(), Told{"-stuck_acceptor"});
  ASSERT_EQ(monitor->snapshot().findings.size(), 1U);
  EXPECT_TRUE(monitor->snapshot().findings[0].verdict->has_ended());
}

TEST_F(IncidentsTest, TroubleThatIsOverIsNotLookedAtAnyMore) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTEN_DROP, AW_AUTHENTICATION));
  tick_after(tenth);
  EXPECT_TRUE(monitor->is_busy());
  tick_after(20 * second);
  EXPECT_FALSE(monitor->is_busy());
}

TEST_F(IncidentsTest, AnExplanationSettlesSomeSecondsAfterTheFirstFinding) {
  ASSERT_TRUE(begin());
  EXPECT_FALSE(monitor->is_settled(at()));
  apply(to(80, AW_LISTEN_DROP, AW_FIREWALL));
  tick_after(tenth);
  EXPECT_EQ(verdicts(), Told{"+firewall"});
  EXPECT_FALSE(monitor->is_settled(at()));
  tick_after(6 * second + second / 2 - 1);
  EXPECT_FALSE(monitor->is_settled(at()));
  tick_after(1);
  EXPECT_TRUE(monitor->is_settled(at()));
}

TEST_F(IncidentsTest, FindingsAreToldOfPortsWithoutAListener) {
  scope.thresholds.failed_handshakes = 1;
  ASSERT_TRUE(begin());
  apply(to(81, AW_RESET_SENT, AW_NO_LISTENER));
  tick_after(tenth);
  EXPECT_EQ(verdicts(), Told{"+closed_port"});
  const Event* finding = first(AW_FINDING);
  EXPECT_EQ(finding->listener, 0U);
  EXPECT_EQ(finding->server_port, 81);
  EXPECT_FALSE(finding->owner);
}

TEST_F(IncidentsTest, ARefusalOfWhichNobodyKnowsThePortMakesNoFinding) {
  scope.thresholds.failed_handshakes = 1;
  ASSERT_TRUE(begin());
  auto refused = to(81, AW_RESET_SENT, AW_NO_LISTENER);
  refused.flags = 0;
  apply(refused);
  EXPECT_FALSE(monitor->is_busy());
}

TEST_F(IncidentsTest, TheGapOfARestartEndsWhenSomebodyListensAgain) {
  ASSERT_TRUE(begin());
  apply(about(shop, AW_LISTENER_CLOSED));
  now += second / 4;
  apply(to(80, AW_RESET_SENT, AW_NO_LISTENER));
  now += second / 4;
  apply(opened(8, 80, 4712, "java"));
  tick_after(tenth);
  EXPECT_EQ(verdicts(), Told{"+restart_gap"});
}

TEST_F(IncidentsTest, ConnectionsThatAClosedListenerLeftAreFound) {
  ASSERT_TRUE(begin());
  auto closed = about(shop, AW_LISTENER_CLOSED);
  closed.listener.accept_depth = 4;
  apply(closed);
  tick_after(tenth);
  EXPECT_EQ(verdicts(), Told{"+closed_with_queue"});
}

TEST_F(IncidentsTest, AListenerAtAnotherAddressLeavesThePortClosed) {
  host.holders.clear();
  ASSERT_TRUE(begin());
  for (int i = 0; i < 3; ++i)
    apply(to(80, AW_RESET_SENT, AW_NO_LISTENER));
  tick_after(tenth);
  EXPECT_EQ(verdicts(), Told{"+closed_port"});
  auto opened = about(9, AW_LISTENER_OPENED);
  opened.listener = a_listener(9, 80, "127.0.0.1");
  apply(opened);
  tick_after(tenth);
  EXPECT_EQ(verdicts(), Told{"+closed_port"});
  apply(about(10, AW_LISTENER_OPENED));
  tick_after(tenth);
  EXPECT_EQ(verdicts(), (Told{"+closed_port", "-closed_port"}));
}

TEST_F(IncidentsTest, CookiesThatNeverComeBackAreAFlood) {
  ASSERT_TRUE(begin());
  send_cookies_first();
  host.cookie_counts = CookieCounts{2000, 500};
  apply(cookie(), 800);
  tick_after(tenth);
  EXPECT_TRUE(has(verdicts(), "+syn_flood"));
}

TEST_F(IncidentsTest, CookiesThatComeBackHideAFullSynQueue) {
  ASSERT_TRUE(begin());
  send_cookies_first();
  host.cookie_counts = CookieCounts{2000, 1500};
  tick_after(second + tenth);
  EXPECT_TRUE(has(verdicts(), "+cookies_hide_full_syn_queue"));
}

TEST_F(IncidentsTest, AnAcceptThatWasCountedIsNoStall) {
  ASSERT_TRUE(begin());
  const uint64_t since = now;
  for (int i = 0; i < 12; ++i) {
    host.times[shop].accepted += 5;
    waits(holder(), 11, since);
    tick_after(second / 4);
  }
  EXPECT_FALSE(first(AW_ACCEPT_STALLED));
}

TEST_F(IncidentsTest, AListenersLongestWaitIsInTheReport) {
  ASSERT_TRUE(begin());
  waits(holder(), 1, now - second / 2);
  tick_after(second);
  waits(holder(), 1, now);
  tick_after(second);
  const Snapshot snapshot = monitor->snapshot();
  ASSERT_EQ(snapshot.listeners.size(), 1U);
  EXPECT_DOUBLE_EQ(snapshot.listeners[0].oldest_seconds.value_or(0), 1.5);
}

TEST_F(IncidentsTest, WhatIsWellIsRuledOut) {
  ASSERT_TRUE(begin());
  waits(holder(), 3, now);
  tick_after(second);
  std::vector<std::string> sentences;
  for (const auto& [cause, state, what] : monitor->snapshot().causes)
    sentences.push_back(what);
  EXPECT_TRUE(has(sentences, "closed port: somebody listens, and nobody was refused"));
  EXPECT_TRUE(has(sentences, "accept queue full: at most 3 of 10 were in it"));
}

TEST_F(IncidentsTest, AListenerThatNobodyAskedForIsNotRuledOn) {
  scope.ports.emplace().set(81);
  ASSERT_TRUE(begin());
  std::vector<std::string> sentences;
  for (const auto& [cause, state, what] : monitor->snapshot().causes)
    sentences.push_back(what);
  EXPECT_FALSE(has(sentences, "closed port: somebody listens, and nobody was refused"));
}

TEST_F(IncidentsTest, TheMembersOfAGroupAreCompared) {
  host.holders.push_back(a_holder(8, 80, 4711, "java"));
  for (aw_holder& member : host.holders)
    member.reuseport = 1;
  ASSERT_TRUE(begin());
  auto dropped = about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL);
  dropped.listener.accept_depth = 11;
  const uint64_t since = now;
  for (int i = 0; i < 8; ++i) {
    dropped.header.boot_ns = now;
    apply(dropped, 10);
    waits(holder(), 11, since);
    tick_after(second / 4);
  }
  EXPECT_TRUE(has(verdicts(), "+reuseport_imbalance"));
}

TEST_F(IncidentsTest, WaitsOfListenersThatAreGoneMakeRoom) {
  ASSERT_TRUE(begin());
  auto closed = about(shop, AW_LISTENER_CLOSED);
  closed.listener.accept_depth = 1;
  for (uint64_t id = 10; id < 10 + 9000; ++id) {
    host.holders = {a_holder(id, 80, 4711, "java")};
    closed.listener.id = id;
    closed.listener.head_us = (now - second / 10) / 1000;
    auto born = opened(id, 80, 4711, "java");
    apply(born);
    apply(closed);
  }
  EXPECT_LE(monitor->snapshot().listeners.size(), 8192U);
  EXPECT_GT(monitor->snapshot().listeners.size(), 4000U);
}

} // namespace
} // namespace acceptwatch
