// SPDX-License-Identifier: Apache-2.0
#include "model/brief_listeners.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr uint64_t second = 1'000'000'000;

class BriefListenersTest : public testing::Test {
protected:
  BriefListeners brief;
  std::vector<Event> told;
  uint64_t now = 100 * second;
  uint64_t next_id = 1;

  BriefListeners::Tell tell() {
    return [this](const Event& event) { told.push_back(event); };
  }
  static Event about(uint64_t id, aw_action action, uint16_t port) {
    Event event;
    event.action = action;
    event.listener = id;
    event.server_port = port;
    event.netns = 1;
    event.owner = Owner{4711, "ftpd", {}};
    event.accept_queue = Queue{0, 5};
    return event;
  }
  uint64_t open(uint16_t port) {
    brief.take(about(next_id, AW_LISTENER_OPENED, port), now, tell());
    return next_id++;
  }
  void close(uint64_t id, uint16_t port, uint32_t waiting = 0) {
    Event event = about(id, AW_LISTENER_CLOSED, port);
    event.accept_queue->depth = waiting;
    brief.take(event, now, tell());
  }
  /// So many transfers, each on a port of its own.
  void transfer(int times, bool one_port = false) {
    for (int i = 0; i < times; ++i) {
      const auto port = static_cast<uint16_t>(one_port ? 40000 : 40000 + i);
      const uint64_t id = open(port);
      now += second / 10;
      close(id, port);
    }
  }
};

TEST_F(BriefListenersTest, AreToldTogetherOnceTheyAreAHabit) {
  transfer(10);
  EXPECT_EQ(told.size(), 20U) << "nobody knows yet";
  told.clear();
  transfer(24);
  brief.tick(now, tell());
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].action, AW_LISTENER_OPENED);
  EXPECT_EQ(told[1].action, AW_LISTENER_CLOSED);
  for (const Event& event : told) {
    EXPECT_EQ(event.count, 24U);
    EXPECT_FALSE(event.server_port);
    EXPECT_EQ(event.owner->name, "ftpd");
    EXPECT_EQ(event.owner->pid, 0U) << "there may be several";
  }
  transfer(3);
  brief.tick(now, tell());
  EXPECT_EQ(told.size(), 2U) << "every ten seconds";
  brief.finish(tell());
  EXPECT_EQ(told.back().count, 3U);
}

TEST_F(BriefListenersTest, OnePortIsAServiceThatIsStartedAgainAndAgain) {
  transfer(30, true);
  EXPECT_EQ(told.size(), 60U);
}

TEST_F(BriefListenersTest, OneThatStaysIsTold) {
  transfer(10);
  told.clear();
  const uint64_t id = open(80);
  EXPECT_TRUE(told.empty());
  now += 3 * second;
  brief.tick(now, tell());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].listener, id);
  close(id, 80);
  EXPECT_EQ(told.back().action, AW_LISTENER_CLOSED);
}

TEST_F(BriefListenersTest, BeforeSomethingElseIsToldOfItItIsTold) {
  transfer(10);
  told.clear();
  const uint64_t id = open(40100);
  brief.release(id, tell());
  EXPECT_EQ(told.size(), 1U);
  brief.release(id, tell());
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(BriefListenersTest, WhatTakesConnectionsAlongIsToldWithItsBegin) {
  transfer(10);
  told.clear();
  close(open(40100), 40100, 3);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].accept_queue->depth, 3U);
}

TEST_F(BriefListenersTest, AMinuteLaterTheHabitIsForgotten) {
  transfer(10);
  told.clear();
  now += 61 * second;
  brief.tick(now, tell());
  transfer(1);
  EXPECT_EQ(told.size(), 2U);
}

TEST_F(BriefListenersTest, AnotherServiceHasItsOwn) {
  transfer(10);
  told.clear();
  Event other = about(999, AW_LISTENER_OPENED, 80);
  other.owner->name = "nginx";
  brief.take(other, now, tell());
  EXPECT_EQ(told.size(), 1U);
}

} // namespace
} // namespace acceptwatch
