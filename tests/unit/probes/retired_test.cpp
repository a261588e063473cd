// SPDX-License-Identifier: Apache-2.0
#include "probes/retired.h"

#include <gtest/gtest.h>
#include <set>

namespace acceptwatch {
namespace {

Counter counter(uint64_t listener, uint64_t count, uint64_t suppressed = 0) {
  Counter counter{};
  counter.key.listener = listener;
  counter.key.netns = 7;
  counter.key.action = AW_LISTEN_DROP;
  counter.count = count;
  counter.suppressed = suppressed;
  return counter;
}

class RetiredCountersTest : public testing::Test {
protected:
  [[nodiscard]] std::vector<Counter> with(std::vector<Counter> counters) const {
    retired.add_to(counters);
    return counters;
  }
  UseOf knows(std::set<uint64_t> ids) const {
    return [ids = std::move(ids)](uint64_t id) {
      return ids.contains(id) ? ListenerUse::over : ListenerUse::unknown;
    };
  }

  RetiredCounters retired;
};

TEST_F(RetiredCountersTest, AreAmongTheOthers) {
  retired.add(counter(1, 10, 3));
  const auto all = with({counter(2, 5)});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].count, 10U);
  EXPECT_EQ(all[0].suppressed, 3U);
  EXPECT_EQ(all[1].count, 5U);
}

TEST_F(RetiredCountersTest, ALateOccurrenceIsAddedAndMakesNoSecondCounter) {
  retired.add(counter(1, 10, 3));
  auto all = with({counter(1, 2, 1)});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].count, 12U);
  EXPECT_EQ(all[0].suppressed, 4U);
  retired.add(counter(1, 2, 1)); // it is retired, too
  all = with({});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].count, 12U);
}

TEST_F(RetiredCountersTest, ThoseOfForgottenListenersBecomeOneAndNothingIsToldTwice) {
  for (uint64_t id = 1; id <= 1000; ++id)
    retired.add(counter(id, id, 1));
  retired.forget(knows({1000}));
  const auto all = with({counter(AW_OTHER_LISTENERS, 7, 2)});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].key.listener, 1000U);
  EXPECT_EQ(all[0].count, 1000U);
  EXPECT_EQ(all[1].key.listener, AW_OTHER_LISTENERS);
  EXPECT_EQ(all[1].count, 999U * 1000 / 2 + 7);
  EXPECT_EQ(all[1].suppressed, 2U);
}

TEST_F(RetiredCountersTest, ThatListenersCameAndWentTakesNoRoom) {
  for (uint64_t id = 1; id <= 1000; ++id) {
    Counter opened = counter(id, 1);
    opened.key.action = AW_LISTENER_OPENED;
    retired.add(opened);
  }
  const auto all = with({});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].count, 1000U);
}

TEST_F(RetiredCountersTest, OfOneListenerEveryKindStaysItsOwn) {
  Counter other = counter(1, 4);
  other.key.extra_mib = 1;
  retired.add(counter(1, 10));
  retired.add(other);
  retired.forget(knows({}));
  EXPECT_EQ(with({}).size(), 2U);
}

} // namespace
} // namespace acceptwatch
