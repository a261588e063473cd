// SPDX-License-Identifier: Apache-2.0
#include "model/flows.h"

#include "support/fake_control.h"
#include "support/fake_host.h"
#include "support/records.h"

#include <gtest/gtest.h>
#include <optional>
#include <set>

namespace acceptwatch {
namespace {

constexpr uint64_t ns = 1'000'000'000;
constexpr uint32_t netns = 7;
constexpr uint16_t port = 8080;

class FlowsTest : public ::testing::Test {
protected:
  /// A scan `seconds` after the beginning; the head of each queue has waited for so long.
  void scan(double seconds, const std::map<uint64_t, uint32_t>& depths, double head = 0.05) {
    const uint64_t at_ns = begun_ns + static_cast<uint64_t>(seconds * ns);
    for (const auto& [id, depth] : depths) {
      aw_holder holder{};
      holder.header.boot_ns = at_ns;
      holder.pid = 4711;
      holder.somaxconn = 4096; // else the queues are not known
      holder.listener.id = id;
      holder.listener.netns = netns;
      holder.listener.port = port;
      holder.listener.family = AF_INET;
      holder.listener.accept_depth = depth;
      holder.listener.accept_limit = 128;
      if (depth)
        holder.listener.head_us = begun_us - us(head) + us(seconds);
      table.add_holder(holder);
    }
    flows->take_look(at_ns, now, [this](const Listener&) { return wanted; });
  }

  static uint64_t us(double seconds) { return static_cast<uint64_t>(seconds * 1e6); }

  void drop(uint64_t packets) {
    Event event;
    event.action = AW_LISTEN_DROP;
    event.reason = AW_ACCEPT_QUEUE_FULL;
    event.netns = netns;
    event.server_port = port;
    event.count = packets;
    flows->note(event, 0);
  }

  [[nodiscard]] std::optional<Flow> flow(uint64_t id = 1,
                                         std::optional<uint64_t> accepted = {}) const {
    return flows->of(*table.find(id), accepted, 0);
  }

  void accept_is_seen() { flows.emplace(true, host, control, table); }

  unit::FakeHost host;
  unit::FakeControl control;
  ListenerTable table{host};
  std::optional<Flows> flows{std::in_place, false, host, control, table};
  bool wanted = true;
  static constexpr uint64_t begun_ns = 100 * ns;
  static constexpr uint64_t begun_us = begun_ns / 1000; ///< it was never suspended
  const Instant now{.boot_ns = begun_ns, .wall_offset = 0, .suspended = 0};
};

TEST_F(FlowsTest, NothingIsMeasuredWhereNobodyWaits) {
  scan(0, {{1, 0}});
  scan(1, {{1, 3}}, 0.005); // for a moment
  EXPECT_FALSE(flows->measuring());
  EXPECT_TRUE(control.counted.empty());
  EXPECT_FALSE(flow());
}

TEST_F(FlowsTest, MeasuresFromTheFirstWaitUntilNobodyHasWaitedForTenSeconds) {
  scan(0, {{1, 2}});
  EXPECT_TRUE(flows->measuring());
  EXPECT_EQ(control.counted, std::set<uint16_t>{port});
  scan(1, {{1, 0}});
  scan(9.9, {{1, 0}});
  EXPECT_TRUE(flows->measuring());
  scan(10.1, {{1, 0}});
  EXPECT_FALSE(flows->measuring());
  EXPECT_TRUE(control.counted.empty());
  ASSERT_TRUE(flow()) << "what was measured stays";
  EXPECT_EQ(flow()->accepted, 2U);
}

TEST_F(FlowsTest, DerivesAcceptsAndTheMeanWait) {
  for (int i = 0; i <= 40; ++i) {
    host.entered = static_cast<uint64_t>(i) * 5;
    scan(i * 0.25, {{1, 10}});
  }
  ASSERT_TRUE(flow());
  EXPECT_EQ(flow()->entered, 200U);
  EXPECT_EQ(flow()->accepted, 200U);
  EXPECT_EQ(flow()->looks, 40U);
  ASSERT_TRUE(flow()->mean_wait_seconds);
  EXPECT_NEAR(*flow()->mean_wait_seconds, 0.5, 1e-6);
}

TEST_F(FlowsTest, OfAPortThatSeveralShareIsOfAllOfThem) {
  scan(0, {{1, 2}, {2, 3}});
  host.entered = 6;
  scan(1, {{1, 0}, {2, 1}});
  ASSERT_TRUE(flow(2));
  EXPECT_EQ(flow(2)->listeners, 2U);
  EXPECT_EQ(flow(2)->accepted, 10U);
}

TEST_F(FlowsTest, WhatAClosedListenerTakesWithItWasNotAccepted) {
  scan(0, {{1, 2}, {2, 3}});
  scan(1, {{1, 2}, {2, 3}});
  table.closed(unit::closed_record(2, begun_ns + ns));
  scan(2, {{1, 2}});
  scan(3, {{1, 1}});
  EXPECT_EQ(flow()->accepted, 1U);
}

TEST_F(FlowsTest, CountsAfreshWhenItIsMeasuredAgain) {
  scan(0, {{1, 2}});
  host.entered = 50;
  scan(11, {{1, 0}});
  EXPECT_EQ(flow()->accepted, 52U);
  host.entered = 0;
  scan(20, {{1, 4}});
  host.entered = 3;
  scan(21, {{1, 0}});
  EXPECT_EQ(flow()->accepted, 59U);
}

TEST_F(FlowsTest, CountsDropsWhileItMeasures) {
  drop(1);
  scan(0, {{1, 2}});
  drop(3);
  scan(1, {{1, 2}});
  EXPECT_EQ(flow()->full, 3U);
}

TEST_F(FlowsTest, OfAListenerThatNobodyAskedForIsNotBegun) {
  wanted = false;
  scan(0, {{1, 2}});
  EXPECT_FALSE(flows->measuring());
}

TEST_F(FlowsTest, WhereArrivalsCannotBeCountedThereIsNothing) {
  control.can_count = false;
  scan(0, {{1, 2}});
  scan(1, {{1, 2}});
  EXPECT_FALSE(flows->measuring());
  EXPECT_FALSE(flow());
}

TEST_F(FlowsTest, WhereAcceptIsSeenTheyAreOfAllTheTime) {
  accept_is_seen();
  scan(0, {{1, 5}});
  EXPECT_FALSE(flow(1, 20)) << "of no time at all";
  scan(10, {{1, 2}});
  EXPECT_FALSE(flows->measuring());
  ASSERT_TRUE(flow(1, 20));
  EXPECT_NEAR(flow(1, 20)->seconds, 10, 1e-6);
  EXPECT_EQ(flow(1, 20)->entered, 17U) << "five were there before";
  EXPECT_EQ(flow(1, 20)->accepted, 20U);
  EXPECT_EQ(flow(1, 20)->looks, 0U);
  EXPECT_FALSE(flow(1, {})) << "it accepted nothing that is known";
}

TEST_F(FlowsTest, OfAListenerThatWasOpenedAndClosedAreOfItsLife) {
  accept_is_seen();
  Event event;
  event.listener = 1;
  event.action = AW_LISTENER_OPENED;
  flows->note(event, begun_ns);
  scan(1, {{1, 3}});
  event.action = AW_LISTENER_CLOSED;
  event.accept_queue = Queue{4, 128};
  flows->note(event, begun_ns + 2 * ns);
  ASSERT_TRUE(flow(1, 10));
  EXPECT_NEAR(flow(1, 10)->seconds, 2, 1e-6);
  EXPECT_EQ(flow(1, 10)->entered, 14U);
}

} // namespace
} // namespace acceptwatch
