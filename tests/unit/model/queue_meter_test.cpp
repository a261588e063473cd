// SPDX-License-Identifier: Apache-2.0
#include "model/queue_meter.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace acceptwatch {
namespace {

constexpr uint64_t ns = 1'000'000'000;

/// Connections that one server accepts in their order, at times drawn with a given load.
struct Queue {
  std::vector<double> entered;
  std::vector<double> accepted;

  Queue(double arrivals, double load, double seconds, uint64_t seed) {
    std::mt19937_64 random{seed};
    std::exponential_distribution<double> between{arrivals};
    std::exponential_distribution<double> service{arrivals / load};
    double free_at = 0;
    for (double at = between(random); at < seconds; at += between(random)) {
      entered.push_back(at);
      accepted.push_back(std::max(at, free_at));
      free_at = accepted.back() + service(random);
    }
  }

  [[nodiscard]] QueueLook look(double at) const {
    const auto by = [at](const std::vector<double>& times) {
      return static_cast<uint64_t>(std::ranges::upper_bound(times, at) - times.begin());
    };
    return {static_cast<uint64_t>(at * ns), by(entered) - by(accepted), by(entered)};
  }

  [[nodiscard]] double mean_wait() const {
    double sum = 0;
    for (size_t i = 0; i < entered.size(); ++i)
      sum += accepted[i] - entered[i];
    return sum / static_cast<double>(entered.size());
  }
};

Flow flow_of(const Queue& queue, double seconds, double pause) {
  QueueMeter meter;
  meter.resume(queue.look(0));
  for (double at = pause; at < seconds; at += pause)
    meter.look(queue.look(at));
  return meter.flow();
}

TEST(QueueMeter, FindsTheMeanWaitOfARandomQueue) {
  for (const double load : {0.7, 0.9}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      const Queue queue{200, load, 60, seed};
      const Flow flow = flow_of(queue, 60, 0.25);
      ASSERT_TRUE(flow.mean_wait_seconds);
      EXPECT_NEAR(*flow.mean_wait_seconds / queue.mean_wait(), 1, 0.35)
          << "load " << load << ", seed " << seed;
    }
  }
}

TEST(QueueMeter, CountsExactly) {
  const Queue queue{100, 0.9, 30, 1};
  const Flow flow = flow_of(queue, 30, 0.25);
  const auto first = queue.look(0);
  const auto last = queue.look(29.75);
  EXPECT_EQ(flow.entered, last.entered - first.entered);
  EXPECT_EQ(flow.accepted, last.entered - last.depth);
  EXPECT_EQ(flow.looks, 119U);
  EXPECT_NEAR(flow.seconds, 29.75, 0.01);
}

/// Ten always wait, and as many are accepted as come.
QueueMeter steady(uint64_t looks, uint64_t accepted_between) {
  QueueMeter meter;
  meter.resume({ns, 10, 0});
  for (uint64_t i = 1; i <= looks; ++i)
    meter.look({ns + i * ns / 4, 10, i * accepted_between});
  return meter;
}

TEST(QueueMeter, IsLittlesLaw) {
  const Flow flow = steady(40, 5).flow(); // 20 a second
  ASSERT_TRUE(flow.mean_wait_seconds);
  EXPECT_DOUBLE_EQ(*flow.mean_wait_seconds, 0.5);
  EXPECT_EQ(flow.accepted, 200U);
}

TEST(QueueMeter, DoesNotConcludeFromTooLittle) {
  EXPECT_FALSE(steady(9, 5).flow().mean_wait_seconds) << "too few looks";
  EXPECT_TRUE(steady(10, 5).flow().mean_wait_seconds);
  QueueMeter nine;
  nine.resume({ns, 0, 0});
  for (uint64_t i = 1; i <= 20; ++i)
    nine.look({ns + i * ns, 1, std::min<uint64_t>(i, 10)});
  EXPECT_FALSE(nine.flow().mean_wait_seconds) << "too few accepted";
}

TEST(QueueMeter, OfAServerThatHangsHasNoMeanWait) {
  const Flow flow = steady(40, 0).flow();
  EXPECT_FALSE(flow.mean_wait_seconds);
  EXPECT_EQ(flow.accepted, 0U);
  EXPECT_DOUBLE_EQ(flow.seconds, 10);
}

TEST(QueueMeter, DoesNotTellOfWaitsThatItWasTooShortToSee) {
  QueueMeter meter;
  meter.resume({ns, 500, 0});
  for (uint64_t i = 1; i <= 20; ++i)
    meter.look({ns + i * ns / 4, 500, i}); // 4 a second: each waits for 125 s
  EXPECT_FALSE(meter.flow().mean_wait_seconds);
  EXPECT_EQ(meter.flow().accepted, 20U);
}

TEST(QueueMeter, LeavesOutWhatLiesBetweenStretches) {
  auto meter = steady(40, 5);
  meter.resume({100 * ns, 0, 0}); // closed and opened again: 10 were not accepted
  meter.look({101 * ns, 10, 10});
  EXPECT_EQ(meter.flow().accepted, 200U);
  EXPECT_DOUBLE_EQ(meter.flow().seconds, 11);
}

TEST(QueueMeter, OfReadingsThatCrossIsNeverNegative) {
  QueueMeter meter;
  meter.resume({ns, 0, 0});
  meter.look({2 * ns, 1, 0}); // in the queue, and not counted yet
  EXPECT_EQ(meter.flow().accepted, 0U);
  meter.look({3 * ns, 0, 1});
  EXPECT_EQ(meter.flow().accepted, 1U);
}

TEST(QueueMeter, CountsPacketsThatFoundTheQueueFull) {
  QueueMeter meter;
  meter.full(2);
  meter.full(3);
  EXPECT_EQ(meter.flow().full, 5U);
}

} // namespace
} // namespace acceptwatch
