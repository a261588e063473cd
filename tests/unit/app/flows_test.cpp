// SPDX-License-Identifier: Apache-2.0
#include "app/flows.h"

#include "support/fake_procfs.h"
#include "support/records.h"

#include <ctime>
#include <gtest/gtest.h>
#include <set>

namespace acceptwatch {
namespace {

constexpr uint64_t ns = 1'000'000'000;
constexpr uint32_t netns = 7;
constexpr uint16_t port = 8080;

/// Counts as it is told to.
class FakeSource final : public Source {
public:
  bool accept_is_seen = false;
  bool can_count = true;
  uint64_t entered = 0;
  std::set<uint16_t> counted; ///< ports

  Result<void> activate() override { return {}; }
  Result<void> scan(const std::function<void(const aw_holder&)>&) override { return {}; }
  int fd() const override { return -1; }
  Result<void> drain(const RecordHandler&) override { return {}; }
  void deactivate() override {}
  std::vector<Counter> counters() const override { return {}; }
  bool folded() override { return false; }
  Losses losses() const override { return {}; }
  bool sees_queues() const override { return true; }
  std::optional<aw_peaks> end_pressure(uint64_t) override { return std::nullopt; }
  void mute(uint64_t) override {}
  void unmute(uint64_t) override {}
  bool sees_accept() const override { return accept_is_seen; }
  std::optional<Waits> waits(uint64_t, uint64_t) const override { return std::nullopt; }
  bool count_arrivals(const aw_place& place) override {
    return can_count && counted.insert(place.port).second;
  }
  void stop_counting(const aw_place& place) override { counted.erase(place.port); }
  uint64_t arrivals(const aw_place&) const override { return entered; }
  std::vector<KernelStack> stacks(const std::vector<uint32_t>&) const override { return {}; }
  void watch_chains(bool) override {}
  std::optional<Chain> chain(uint64_t) const override { return std::nullopt; }
  aw_source tier() const override { return AW_SOURCE_KPROBE; }
  std::vector<std::string> probes() const override { return {}; }
};

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
        holder.listener.head_us = begun_us + static_cast<uint64_t>((seconds - head) * 1e6);
      table.add_holder(holder);
    }
    flows.look(at_ns, [this](const Listener&) { return wanted; });
  }

  void drop(uint64_t packets) {
    Event event;
    event.action = AW_LISTEN_DROP;
    event.reason = AW_ACCEPT_QUEUE_FULL;
    event.netns = netns;
    event.server_port = port;
    event.count = packets;
    flows.note(event, 0);
  }

  [[nodiscard]] std::optional<Flow> flow(uint64_t id = 1,
                                         std::optional<uint64_t> accepted = {}) const {
    return flows.of(*table.find(id), accepted, 0);
  }

  static uint64_t monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<uint64_t>(now.tv_nsec) / 1000;
  }

  FakeSource source;
  unit::FakeProcFs procfs;
  ListenerTable table{procfs};
  Clock clock;
  Flows flows{source, table, clock};
  bool wanted = true;
  const uint64_t begun_ns = clock.boot_now() + ns;
  const uint64_t begun_us = monotonic_us() + 1'000'000;
};

TEST_F(FlowsTest, NothingIsMeasuredWhereNobodyWaits) {
  scan(0, {{1, 0}});
  scan(1, {{1, 3}}, 0.005); // for a moment
  EXPECT_FALSE(flows.measuring());
  EXPECT_TRUE(source.counted.empty());
  EXPECT_FALSE(flow());
}

TEST_F(FlowsTest, MeasuresFromTheFirstWaitUntilNobodyHasWaitedForTenSeconds) {
  scan(0, {{1, 2}});
  EXPECT_TRUE(flows.measuring());
  EXPECT_EQ(source.counted, std::set<uint16_t>{port});
  scan(1, {{1, 0}});
  scan(9.9, {{1, 0}});
  EXPECT_TRUE(flows.measuring());
  scan(10.1, {{1, 0}});
  EXPECT_FALSE(flows.measuring());
  EXPECT_TRUE(source.counted.empty());
  ASSERT_TRUE(flow()) << "what was measured stays";
  EXPECT_EQ(flow()->accepted, 2U);
}

TEST_F(FlowsTest, DerivesAcceptsAndTheMeanWait) {
  for (int i = 0; i <= 40; ++i) {
    source.entered = static_cast<uint64_t>(i) * 5;
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
  source.entered = 6;
  scan(1, {{1, 0}, {2, 1}});
  ASSERT_TRUE(flow(2));
  EXPECT_EQ(flow(2)->listeners, 2U);
  EXPECT_EQ(flow(2)->accepted, 10U);
}

TEST_F(FlowsTest, WhatAClosedListenerTakesWithItWasNotAccepted) {
  scan(0, {{1, 2}, {2, 3}});
  scan(1, {{1, 2}, {2, 3}});
  table.closed(2, begun_ns + ns);
  scan(2, {{1, 2}});
  scan(3, {{1, 1}});
  EXPECT_EQ(flow()->accepted, 1U);
}

TEST_F(FlowsTest, CountsAfreshWhenItIsMeasuredAgain) {
  scan(0, {{1, 2}});
  source.entered = 50;
  scan(11, {{1, 0}});
  EXPECT_EQ(flow()->accepted, 52U);
  source.entered = 0;
  scan(20, {{1, 4}});
  source.entered = 3;
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
  EXPECT_FALSE(flows.measuring());
}

TEST_F(FlowsTest, WhereArrivalsCannotBeCountedThereIsNothing) {
  source.can_count = false;
  scan(0, {{1, 2}});
  scan(1, {{1, 2}});
  EXPECT_FALSE(flows.measuring());
  EXPECT_FALSE(flow());
}

TEST_F(FlowsTest, WhereAcceptIsSeenTheyAreOfAllTheTime) {
  source.accept_is_seen = true;
  scan(0, {{1, 5}});
  EXPECT_FALSE(flow(1, 20)) << "of no time at all";
  scan(10, {{1, 2}});
  EXPECT_FALSE(flows.measuring());
  ASSERT_TRUE(flow(1, 20));
  EXPECT_NEAR(flow(1, 20)->seconds, 10, 1e-6);
  EXPECT_EQ(flow(1, 20)->entered, 17U) << "five were there before";
  EXPECT_EQ(flow(1, 20)->accepted, 20U);
  EXPECT_EQ(flow(1, 20)->looks, 0U);
  EXPECT_FALSE(flow(1, {})) << "it accepted nothing that is known";
}

TEST_F(FlowsTest, OfAListenerThatWasOpenedAndClosedAreOfItsLife) {
  source.accept_is_seen = true;
  Event event;
  event.listener = 1;
  event.action = AW_LISTENER_OPENED;
  flows.note(event, begun_ns);
  scan(1, {{1, 3}});
  event.action = AW_LISTENER_CLOSED;
  event.accept_queue = Queue{4, 128};
  flows.note(event, begun_ns + 2 * ns);
  ASSERT_TRUE(flow(1, 10));
  EXPECT_NEAR(flow(1, 10)->seconds, 2, 1e-6);
  EXPECT_EQ(flow(1, 10)->entered, 14U);
}

} // namespace
} // namespace acceptwatch
