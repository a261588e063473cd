// SPDX-License-Identifier: Apache-2.0
#include "model/sampler.h"

#include "support/table_fixture.h"

namespace acceptwatch {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;

class SamplerTest : public unit::TableTest {
protected:
  SamplerTest() {
    scope.tier = AW_SOURCE_FENTRY;
    scope.sees_accept = true;
    born(10, 1, "shop");
    held(1, 10, 1, 3, "shop");
    show(0, 0);
    sampler.begin(at(0));
  }

  static Instant at(uint64_t seconds) { return {seconds * second_ns, 0, 0}; }

  /// A record shows the queues.
  void show(uint32_t accept, uint32_t syn) {
    auto record = listener(1);
    record.accept_depth = accept;
    record.accept_limit = record.syn_limit = 10;
    record.syn_depth = syn;
    table.note_queues(record);
  }

  void lost(aw_action action, aw_reason reason, uint64_t count) {
    Counter counter;
    counter.key.listener = 1;
    counter.key.action = static_cast<__u8>(action);
    counter.key.reason = static_cast<__u8>(reason);
    counter.count = count;
    counters.push_back(counter);
  }

  std::vector<Sample> take(uint64_t seconds) {
    std::vector<Sample> samples;
    sampler.take(at(seconds), counters, true,
                 [&](const Sample& sample) { samples.push_back(sample); });
    return samples;
  }

  Scope scope;
  std::vector<Counter> counters;
  Sampler sampler{scope, host, table};
};

TEST_F(SamplerTest, SaysNothingWhereNothingHappened) {
  show(0, 0);
  EXPECT_TRUE(take(10).empty());
}

TEST_F(SamplerTest, HasTheDepthsOfItsIntervalAlone) {
  show(7, 2);
  show(3, 0);
  const auto first = take(10);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].seconds, 10);
  EXPECT_EQ(first[0].accept_queue, (Queue{3, 10}));
  EXPECT_EQ(first[0].accept_peak, 7U);
  EXPECT_EQ(first[0].syn_peak, 2U);
  EXPECT_EQ(first[0].owner->name, "shop");
  show(1, 0);
  const auto second = take(20);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].accept_peak, 1U);
  EXPECT_EQ(second[0].syn_peak, 0U);
}

TEST_F(SamplerTest, TellsOnceMoreThatItIsOver) {
  show(7, 0);
  EXPECT_EQ(take(10).size(), 1U);
  show(0, 0);
  const auto over = take(20);
  ASSERT_EQ(over.size(), 1U);
  EXPECT_EQ(over[0].accept_peak, 0U);
  show(0, 0);
  EXPECT_TRUE(take(30).empty());
}

TEST_F(SamplerTest, HasNoQueueWhereNothingHasShownIt) {
  host.times[1].accepted = 5;
  const auto samples = take(10);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_FALSE(samples[0].accept_queue);
  EXPECT_FALSE(samples[0].arrivals) << "by how much the queue has grown is not known";
  EXPECT_EQ(samples[0].accepts, 5U);
}

TEST_F(SamplerTest, CountsArrivalsAndAcceptsAndWhatWasLost) {
  show(4, 0);
  host.times[1].accepted = 20;
  host.times[1].queued[3] = 20;
  lost(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 6);
  lost(AW_LISTEN_DROP, AW_FIREWALL, 1);
  lost(AW_SYNACK_RETRANSMIT, AW_NO_ACK, 9);
  auto samples = take(10);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].accepts, 20U);
  EXPECT_EQ(samples[0].arrivals, 30U) << "accepted, still there, and no room";
  ASSERT_EQ(samples[0].lost.size(), 2U);
  EXPECT_EQ(samples[0].lost[0].reason, AW_ACCEPT_QUEUE_FULL);
  EXPECT_EQ(samples[0].lost[0].count, 6U);
  EXPECT_TRUE(samples[0].waits);
  show(0, 0);
  host.times[1].accepted = 24;
  samples = take(20);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].accepts, 4U);
  EXPECT_EQ(samples[0].arrivals, 0U) << "all four had come before";
  EXPECT_TRUE(samples[0].lost.empty());
  EXPECT_FALSE(samples[0].waits) << "none was measured in this interval";
}

TEST_F(SamplerTest, DoesNotGuessWhereAcceptIsNotSeen) {
  scope.sees_accept = false;
  show(4, 0);
  const auto samples = take(10);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_FALSE(samples[0].accepts);
  EXPECT_FALSE(samples[0].arrivals);
}

TEST_F(SamplerTest, KeepsToThePortsThatAreWanted) {
  scope.ports.emplace();
  show(4, 0);
  EXPECT_TRUE(take(10).empty());
}

} // namespace
} // namespace acceptwatch
