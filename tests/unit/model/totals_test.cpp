// SPDX-License-Identifier: Apache-2.0
#include "model/totals.h"

#include "support/table_fixture.h"

namespace acceptwatch {
namespace {

class NameTotals : public unit::TableTest {};

Counter counter(uint64_t listener, aw_reason reason, uint64_t count) {
  Counter counter;
  counter.key.listener = listener;
  counter.key.netns = 4026531840;
  counter.key.action = AW_LISTEN_DROP;
  counter.key.reason = static_cast<__u8>(reason);
  counter.key.stage = AW_STAGE_SYN;
  counter.count = count;
  return counter;
}

TEST_F(NameTotals, GivesEachItsListenersAddressAndOwner) {
  born(100, 10, "java", "/shop");
  opened(4711, 100, "java");
  const std::vector counters{counter(4711, AW_ACCEPT_QUEUE_FULL, 12)};
  const auto totals = name_totals(counters, table);
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].listener, 4711U);
  EXPECT_EQ(totals[0].action, AW_LISTEN_DROP);
  EXPECT_EQ(totals[0].reason, AW_ACCEPT_QUEUE_FULL);
  EXPECT_EQ(totals[0].stage, AW_STAGE_SYN);
  EXPECT_EQ(totals[0].count, 12U);
  EXPECT_EQ(totals[0].netns, 4026531840U);
  EXPECT_EQ(totals[0].server_port, 9799);
  EXPECT_EQ(to_string(*totals[0].server_address), "10.0.0.5");
  EXPECT_EQ(totals[0].owner->pid, 100U);
  EXPECT_EQ(totals[0].owner->cgroup, "/shop");
}

TEST_F(NameTotals, KeepsTheOwnerOfAListenerThatWasClosed) {
  opened(4711, 100, "java");
  closed(4711);
  const std::vector counters{counter(4711, AW_ACCEPT_QUEUE_FULL, 12)};
  EXPECT_EQ(name_totals(counters, table).at(0).owner->pid, 100U);
}

TEST_F(NameTotals, OfOtherListenersSaySo) {
  const std::vector counters{counter(AW_OTHER_LISTENERS, AW_ACCEPT_QUEUE_FULL, 12)};
  const auto totals = name_totals(counters, table);
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_TRUE(totals[0].other);
  EXPECT_FALSE(totals[0].server_port);
}

TEST_F(NameTotals, SumWhatOnlyTheAuditTellsApart) {
  auto beside = counter(1, AW_ACCEPT_QUEUE_FULL, 2);
  beside.key.extra_mib = AW_MIB_REQQFULLDOCOOKIES;
  const std::vector counters{counter(1, AW_ACCEPT_QUEUE_FULL, 5), beside};
  const auto totals = name_totals(counters, table);
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].count, 7U);
}

TEST_F(NameTotals, AreLargestFirst) {
  const std::vector counters{counter(1, AW_NO_LISTENER, 2), counter(2, AW_NO_LISTENER, 30),
                             counter(3, AW_NO_LISTENER, 4)};
  const auto totals = name_totals(counters, table);
  ASSERT_EQ(totals.size(), 3U);
  EXPECT_EQ(totals[0].count, 30U);
  EXPECT_EQ(totals[1].count, 4U);
  EXPECT_EQ(totals[2].count, 2U);
}

TEST_F(NameTotals, OfListenersThatNobodyKnowsAreKeptWithoutNames) {
  auto unknown = counter(99, AW_ACCEPT_QUEUE_FULL, 5);
  unknown.key.netns = 0;
  const std::vector counters{unknown, counter(0, AW_NO_LISTENER, 3)};
  const auto totals = name_totals(counters, table);
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals[0].count, 5U);
  EXPECT_FALSE(totals[0].server_address);
  EXPECT_FALSE(totals[0].server_port);
  EXPECT_FALSE(totals[0].owner);
  EXPECT_FALSE(totals[0].netns);
  EXPECT_EQ(totals[1].listener, 0U);
}

TEST_F(NameTotals, OfNothingAreNone) { EXPECT_TRUE(name_totals({}, table).empty()); }

TEST(FoundCounts, AreOfRecordsThatNameNoListener) {
  FoundCounts found;
  aw_event record{};
  record.action = AW_LISTEN_DROP;
  record.reason = AW_FIREWALL;
  record.stage = AW_STAGE_SYN;
  record.listener.netns = 4026531840;
  found.note(record, 7, 2);
  found.note(record, 7, 3);
  found.note(record, 0, 1);
  record.listener.id = 8;
  found.note(record, 8, 5);
  const auto counters = found.counters();
  ASSERT_EQ(counters.size(), 2U);
  EXPECT_EQ(counters[0].key.listener, 0U);
  EXPECT_EQ(counters[0].count, 1U);
  EXPECT_EQ(counters[1].key.listener, 7U);
  EXPECT_EQ(counters[1].key.netns, 4026531840U);
  EXPECT_EQ(counters[1].key.reason, AW_FIREWALL);
  EXPECT_EQ(counters[1].count, 5U);
}

} // namespace
} // namespace acceptwatch
