// SPDX-License-Identifier: Apache-2.0
#include "model/reports.h"
#include "support/monitor_fixture.h"

namespace acceptwatch {
namespace {

using namespace unit;

class ReportsTest : public MonitorTest {
protected:
  ReportsTest() {
    for (uint64_t id = 1; id <= 4; ++id)
      table.add_holder(a_holder(id, static_cast<uint16_t>(80 + id), 4711, "java"));
  }

  [[nodiscard]] std::vector<ListenerReport> reports() {
    const Flows flows{scope.sees_accept, host, control, table};
    const Auditor auditor{{}, {}};
    const Incidents incidents{scope, host, control, table, auditor, flows};
    return report_listeners(scope, table, counters, waits_of, flows, incidents);
  }

  [[nodiscard]] std::vector<uint16_t> ports() {
    std::vector<uint16_t> found;
    for (const auto& report : reports())
      found.push_back(report.port);
    return found;
  }

  /// So many connections were accepted, and each waited in this bucket.
  void accepted(uint64_t id, uint64_t count, size_t bucket) {
    Waits& waits = waits_of[id];
    waits.accepted = count;
    waits.max_us = 5'000'000;
    waits.queued.at(bucket) = count;
  }

  ListenerTable table{host};
  std::vector<Counter> counters;
  WaitsByListener waits_of;
};

TEST_F(ReportsTest, ListenersThatWentThroughNothingAreLeftOut) {
  waits_of[2]; // asked for, and accepted nothing
  counters = {a_count(3, AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL, AW_STAGE_SYN, 9)};
  EXPECT_TRUE(reports().empty());
}

TEST_F(ReportsTest, ThoseThatLostMostComeFirst) {
  counters = {a_count(1, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK, 2),
              a_count(2, AW_RESET_SENT, AW_ABORT_ON_OVERFLOW, AW_STAGE_ACK, 3),
              a_count(2, AW_HANDSHAKE_EXPIRED, AW_NO_ACK, AW_STAGE_NONE, 1)};
  accepted(4, 5, 1);
  EXPECT_EQ(ports(), (std::vector<uint16_t>{82, 81, 84}));
  EXPECT_EQ(reports()[0].lost, 4U);
}

TEST_F(ReportsTest, AmongThoseThatLostNothingTheSlowestComesFirst) {
  accepted(1, 10, 3);
  accepted(2, 10, 12);
  accepted(3, 10, 3);
  EXPECT_EQ(ports(), (std::vector<uint16_t>{82, 81, 83})) << "then by port";
}

TEST_F(ReportsTest, TimesAreThoseOfTheListener) {
  accepted(1, 10, 8);
  const auto all = reports();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].accepted, 10U);
  EXPECT_EQ(all[0].histogram.at(8), 10U);
  ASSERT_TRUE(all[0].waits);
  EXPECT_DOUBLE_EQ(all[0].waits->max, 5);
  EXPECT_FALSE(all[0].handshake);
  EXPECT_FALSE(all[0].derived);
  EXPECT_EQ(all[0].owner->name, "java");
  EXPECT_EQ(all[0].netns, a_netns);
}

TEST_F(ReportsTest, WhereAcceptIsNotSeenTheyAreDerived) {
  scope.sees_accept = false;
  counters = {a_count(1, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK, 2)};
  EXPECT_TRUE(reports().at(0).derived);
}

TEST_F(ReportsTest, ListenersThatNobodyAskedForAreLeftOut) {
  scope.ports.emplace().set(82);
  accepted(1, 10, 8);
  accepted(2, 10, 8);
  EXPECT_EQ(ports(), std::vector<uint16_t>{82});
}

} // namespace
} // namespace acceptwatch
