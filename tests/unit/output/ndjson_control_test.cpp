// SPDX-License-Identifier: Apache-2.0
// start, lost and summary.
#include "output/ndjson.h"

#include "support/json.h"
#include "support/records.h"

#include <limits>

namespace acceptwatch {
namespace {

using unit::at;
using unit::text_at;

template <typename Record> std::string formatted(const Record& record) {
  std::string out;
  NdjsonFormatter{}.format(record, out);
  return out;
}

Total a_total() {
  Total total;
  total.listener = 4711;
  total.action = AW_LISTEN_DROP;
  total.reason = AW_ACCEPT_QUEUE_FULL;
  total.stage = AW_STAGE_ACK;
  total.count = 12;
  total.netns = 4026531840;
  total.server_address = unit::an_address("10.0.0.5");
  total.server_port = 9799;
  total.owner = Owner{4711, "java", "/shop"};
  return total;
}

TEST(NdjsonStart, SaysWhatIsWatchedAndHow) {
  const Start start{unit::contract_time,
                    "0.1.0",
                    "6.12.0",
                    AW_SOURCE_FENTRY,
                    {"fentry/tcp_conn_request", "tp_btf/tcp_send_reset"},
                    {"port=80,443", "comm=\"x\""}};
  EXPECT_EQ(formatted(start),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"start"},)"
            R"("acceptwatch":{"schema":"1","version":"0.1.0","kernel":"6.12.0",)"
            R"("source":"fentry","probes":["fentry/tcp_conn_request","tp_btf/tcp_send_reset"],)"
            R"("filters":["port=80,443","comm=\"x\""]}})"
            "\n");
  unit::parse_line(formatted(start));
}

TEST(NdjsonStart, HasEmptyListsRatherThanNone) {
  const auto document = unit::parse_line(formatted(Start{}));
  ASSERT_TRUE(at(document, "/acceptwatch/probes"));
  EXPECT_EQ(at(document, "/acceptwatch/probes")->Size(), 0U);
  ASSERT_TRUE(at(document, "/acceptwatch/filters"));
  EXPECT_EQ(at(document, "/acceptwatch/filters")->Size(), 0U);
}

TEST(NdjsonLost, SaysWhereAndHowMany) {
  EXPECT_EQ(formatted(Lost{unit::contract_time, "ring_buffer", 17}),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"lost"},)"
            R"("acceptwatch":{"lost":{"where":"ring_buffer","count":17}}})"
            "\n");
}

TEST(NdjsonSummary, HasTotalsByListenerAndReason) {
  Snapshot summary;
  summary.time = unit::contract_time;
  summary.seconds = 1.5;
  summary.records = 3;
  summary.lost = 2;
  summary.totals = {a_total()};
  EXPECT_EQ(
      formatted(summary),
      R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
      R"("event":{"kind":"metric","action":"summary"},)"
      R"("acceptwatch":{"seconds":1.5,"records":3,"lost":2,"totals":[)"
      R"({"action":"listen_drop","reason":"accept_queue_full","stage":"ack","count":12,)"
      R"("address":"10.0.0.5","port":9799,"pid":4711,"name":"java","netns":4026531840}],"findings":[],"listeners":[]}})"
      "\n");
  unit::parse_line(formatted(summary));
}

TEST(NdjsonSummary, OfATotalWithoutListenerHasNoKeysForIt) {
  Snapshot summary;
  summary.totals.emplace_back();
  summary.totals[0].action = AW_RESET_SENT;
  summary.totals[0].reason = AW_NO_LISTENER;
  summary.totals[0].count = 5;
  EXPECT_NE(formatted(summary).find(
                R"("totals":[{"action":"reset_sent","reason":"no_listener","count":5}])"),
            std::string::npos);
}

TEST(NdjsonSummary, OfNothingHasAnEmptyList) {
  const auto document = unit::parse_line(formatted(Snapshot{}));
  ASSERT_TRUE(at(document, "/acceptwatch/totals"));
  EXPECT_EQ(at(document, "/acceptwatch/totals")->Size(), 0U);
  EXPECT_FALSE(at(document, "/acceptwatch/other"));
}

/// The counts that a line shows: those of its totals, and of the others.
uint64_t sum_of(const rapidjson::Document& document) {
  const auto* other = at(document, "/acceptwatch/other");
  uint64_t sum = other ? other->GetUint64() : 0;
  for (const auto& total : at(document, "/acceptwatch/totals")->GetArray())
    sum += total["count"].GetUint64();
  return sum;
}

TEST(NdjsonSummary, OfThousandsOfTotalsStaysBelow16KiBAndExact) {
  Snapshot summary;
  summary.totals.assign(5000, a_total());
  const auto line = formatted(summary);
  EXPECT_LE(line.size(), 16384U);
  EXPECT_EQ(sum_of(unit::parse_line(line)), 5000U * 12U);
}

TEST(NdjsonSummary, OfTheLongestOrdinaryTotalsStaysBelow16KiB) {
  auto total = a_total();
  total.action = AW_SYNACK_RETRANSMIT;
  total.reason = AW_SYN_BACKLOG_RESERVED;
  total.stage = AW_STAGE_QUEUED;
  total.server_address = unit::an_address("2001:db8:1111:2222:3333:4444:5555:6666");
  total.server_port = 65535;
  total.owner = Owner{4'194'304, "0123456789abcde", {}};
  total.count = 1'000'000'000'000;
  Snapshot summary;
  summary.totals.assign(5000, total);
  const auto line = formatted(summary);
  EXPECT_LE(line.size(), 16384U);
  EXPECT_EQ(sum_of(unit::parse_line(line)), 5000U * total.count);
}

/// Fifteen control characters are ninety bytes of JSON: any user may do that.
TEST(NdjsonSummary, OfHostileNamesStaysBelow16KiB) {
  auto total = a_total();
  total.server_address = unit::an_address("2001:db8:1111:2222:3333:4444:5555:6666");
  total.owner = Owner{4'194'304, std::string(15, '\x01'), {}};
  total.count = 1'000'000'000'000;
  Snapshot summary;
  summary.totals.assign(5000, total);
  const auto line = formatted(summary);
  EXPECT_LE(line.size(), 16384U);
  EXPECT_EQ(sum_of(unit::parse_line(line)), 5000U * total.count);
}

TEST(NdjsonSummary, OfExactlyAsManyTotalsAsFitHasNoOthers) {
  Snapshot summary;
  summary.totals.assign(64, a_total());
  EXPECT_FALSE(at(unit::parse_line(formatted(summary)), "/acceptwatch/other"));
}

} // namespace
} // namespace acceptwatch
