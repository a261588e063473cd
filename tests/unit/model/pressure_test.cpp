// SPDX-License-Identifier: Apache-2.0
// Warnings before a queue is full: their begin, their end, and what is told of both.
#include "support/monitor_fixture.h"

namespace acceptwatch {
namespace {

using namespace unit;

class PressureTest : public MonitorTest {
protected:
  [[nodiscard]] aw_event pressure(uint32_t depth) const {
    auto record = about(shop, AW_QUEUE_PRESSURE);
    record.stage = AW_STAGE_SYN;
    record.listener.accept_depth = depth;
    record.listener.head_us = 1;
    return record;
  }
};

TEST_F(PressureTest, ItsBeginIsToldAndThenItsEnd) {
  ASSERT_TRUE(begin());
  apply(pressure(8));
  EXPECT_TRUE(monitor->is_busy());
  ASSERT_EQ(told(), Told{"queue_pressure"});
  control.peaks[shop] = {.accept = 10, .syn = 4};
  waits(host.holders[0], 2, now);
  tick_after(2 * second);
  ASSERT_EQ(sink.events.size(), 1U);
  const Event& ended = sink.events[0];
  ASSERT_TRUE(ended.pressure);
  EXPECT_TRUE(ended.pressure->ended);
  EXPECT_DOUBLE_EQ(ended.pressure->seconds, 2);
  EXPECT_EQ(ended.pressure->accept, 10U);
  EXPECT_EQ(ended.pressure->syn, 4U);
  EXPECT_EQ(ended.accept_queue, (Queue{2, 10}));
  EXPECT_EQ(ended.owner->name, "java");
  EXPECT_EQ(ended.stage, AW_STAGE_NONE);
  EXPECT_FALSE(ended.client_address || ended.client_port || ended.oldest_seconds)
      << "no packet ended it";
}

TEST_F(PressureTest, AQueueThatLingersIsNotToldAgainAndAgain) {
  scope.actions = 1U << AW_QUEUE_PRESSURE;
  ASSERT_TRUE(begin());
  apply(pressure(8));
  sink.events.clear();
  for (int i = 0; i < 20; ++i) {
    waits(host.holders[0], 7, now);
    tick_after(second / 4);
  }
  EXPECT_EQ(told(), Told{}) << "it is over at three quarters of the share";
  waits(host.holders[0], 5, now);
  tick_after(second);
  EXPECT_EQ(told(), Told{"queue_pressure"});
}

TEST_F(PressureTest, ALookOfBeforeItsBeginDoesNotEndIt) {
  ASSERT_TRUE(begin());
  auto record = pressure(8);
  record.header.boot_ns = now + 10 * second;
  apply(record);
  sink.events.clear();
  tick_after(second);
  EXPECT_EQ(told(), Told{});
}

TEST_F(PressureTest, ItEndsWithTheListener) {
  ASSERT_TRUE(begin());
  apply(pressure(8));
  auto dropped = about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL);
  dropped.listener.accept_depth = 11;
  dropped.listener.syn_depth = 3;
  now += second;
  apply(dropped);
  sink.events.clear();
  now += second;
  apply(about(shop, AW_LISTENER_CLOSED));
  ASSERT_EQ(sink.events.size(), 2U);
  EXPECT_EQ(sink.events[0].action, AW_LISTENER_CLOSED);
  ASSERT_TRUE(sink.events[1].pressure);
  EXPECT_TRUE(sink.events[1].pressure->ended);
  EXPECT_EQ(sink.events[1].pressure->accept, 11U) << "the kernel did not know, a record did";
  EXPECT_EQ(sink.events[1].pressure->syn, 3U);
  EXPECT_EQ(sink.events[1].owner->name, "java");
}

TEST_F(PressureTest, AListenerWhoseEndWasLostIsNotUnderPressureForever) {
  ASSERT_TRUE(begin());
  auto record = pressure(8);
  record.listener = a_listener(99, 90);
  apply(record);
  EXPECT_TRUE(monitor->is_busy());
  tick_after(2 * second);
  tick_after(20 * second);
  EXPECT_FALSE(monitor->is_busy());
}

TEST_F(PressureTest, WhereNobodyLooksItIsForgottenAfterTenSeconds) {
  scope.sees_queues = false;
  ASSERT_TRUE(begin());
  apply(pressure(8));
  control.peaks[shop] = {.accept = 10, .syn = 4};
  sink.events.clear();
  tick_after(10 * second);
  EXPECT_TRUE(monitor->is_busy());
  tick_after(10 * second);
  tick_after(tenth);
  EXPECT_FALSE(monitor->is_busy());
  EXPECT_EQ(told(), Told{}) << "nobody knows when it ended";
}

TEST_F(PressureTest, OneThatNamesNoQueueIsNoWarning) {
  ASSERT_TRUE(begin());
  auto record = pressure(8);
  record.flags = AW_HAS_LISTENER | AW_HAS_ENDS;
  apply(record);
  EXPECT_EQ(told(), Told{"queue_pressure"});
  sink.events.clear();
  tick_after(2 * second);
  EXPECT_EQ(told(), Told{});
}

} // namespace
} // namespace acceptwatch
