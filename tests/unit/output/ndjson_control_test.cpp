// SPDX-License-Identifier: Apache-2.0
// start, lost, sample, audit, total, listener and summary.
#include "output/ndjson.h"

#include "output/json_parts.h"
#include "support/json.h"
#include "support/records.h"

#include <algorithm>
#include <vector>

namespace acceptwatch {
namespace {

using unit::at;
using unit::text_at;

template <typename Record> std::string formatted(const Record& record) {
  std::string out;
  NdjsonFormatter{}.format(record, out);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin) + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

/// Those of a summary, by the name of their action.
std::vector<rapidjson::Document> records_of(const Snapshot& summary, const char* action) {
  std::vector<rapidjson::Document> found;
  for (const auto& line : lines_of(formatted(summary))) {
    EXPECT_LE(line.size(), max_line);
    auto document = unit::parse_line(line);
    if (text_at(document, "/event/action") == action)
      found.push_back(std::move(document));
  }
  return found;
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

Start a_start() {
  Start start{unit::contract_time,
              "0.1.0",
              "6.12.0",
              AW_SOURCE_FENTRY,
              {"fentry/tcp_conn_request", "tp_btf/tcp_send_reset"},
              {"port=80,443", "comm=\"x\""}};
  start.host = "shop1";
  start.boot_id = "3f2c";
  start.blind = {{AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYN, "", "no hook", "load it"}};
  return start;
}

TEST(NdjsonStart, SaysWhatIsWatchedAndHowAndWhatIsNotSeen) {
  EXPECT_EQ(formatted(a_start()),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"start","sequence":0},)"
            R"("host":{"name":"shop1","boot":{"id":"3f2c"}},)"
            R"("acceptwatch":{"source":"fentry","schema":"1","version":"0.1.0","kernel":"6.12.0",)"
            R"("probes":["fentry/tcp_conn_request","tp_btf/tcp_send_reset"],)"
            R"("filters":["port=80,443","comm=\"x\""],)"
            R"("blind":[{"action":"listen_drop","reason":"firewall","stage":"syn",)"
            R"("why":"no hook"}]}})"
            "\n");
}

TEST(NdjsonStart, HasEmptyListsRatherThanNone) {
  const auto document = unit::parse_line(formatted(Start{}));
  for (const char* list : {"/acceptwatch/probes", "/acceptwatch/filters", "/acceptwatch/blind"}) {
    ASSERT_TRUE(at(document, list)) << list;
    EXPECT_EQ(at(document, list)->Size(), 0U);
  }
  EXPECT_FALSE(at(document, "/host"));
}

TEST(NdjsonStart, OfTheLongestFiltersFitsInALine) {
  Start start = a_start();
  start.filters.assign(8, std::string(1027, '\x01'));
  const auto line = formatted(start);
  unit::parse_line(line);
  EXPECT_LE(line.size(), max_line);
}

TEST(NdjsonStart, OfTheBlindestTierFitsInALine) {
  Start start = a_start();
  start.filters = {std::string(1027, 'x')};
  start.blind.assign(40,
                     {AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYN, "", std::string(120, 'y'), ""});
  const auto line = formatted(start);
  const auto document = unit::parse_line(line);
  EXPECT_LE(line.size(), max_line);
  EXPECT_EQ(at(document, "/acceptwatch/blind")->Size(), 40U);
  EXPECT_EQ(at(document, "/event/sequence")->GetUint(), 0U);
}

TEST(NdjsonStart, LeavesAbsentFieldsOutRatherThanGrowsTooLong) {
  Start start = a_start();
  start.blind.assign(30,
                     {AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYN, "", std::string(120, 'y'), ""});
  for (int reason = AW_ACCEPT_QUEUE_FULL; reason < AW_NR_REASONS; ++reason)
    start.blind.push_back({AW_LISTEN_DROP, static_cast<aw_reason>(reason), AW_STAGE_SYN,
                           "client.address", "unread", ""});
  const auto line = formatted(start);
  const auto document = unit::parse_line(line);
  EXPECT_LE(line.size(), max_line);
  EXPECT_EQ(at(document, "/acceptwatch/blind")->Size(), 30U);
}

TEST(NdjsonSequence, CountsTheRecordsOfOneOutput) {
  NdjsonFormatter formatter;
  std::string out;
  formatter.format(a_start(), out);
  formatter.format(unit::contract_event(), out);
  formatter.format(Lost{unit::contract_time, "output", 1}, out);
  Snapshot summary;
  summary.totals = {a_total(), a_total()};
  formatter.format(summary, out);
  uint64_t expected = 0;
  for (const auto& line : lines_of(out)) {
    const auto document = unit::parse_line(line);
    EXPECT_EQ(at(document, "/event/sequence")->GetUint64(), expected++);
    EXPECT_EQ(text_at(document, "/host/name"), "shop1") << "of all records";
  }
  EXPECT_EQ(expected, 6U);
}

TEST(NdjsonLost, SaysWhereAndHowMany) {
  EXPECT_EQ(formatted(Lost{unit::contract_time, "ring_buffer", 17}),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"lost","sequence":0},)"
            R"("acceptwatch":{"lost":{"where":"ring_buffer","count":17}}})"
            "\n");
}

TEST(NdjsonSample, IsOneListenerInOneInterval) {
  Sample sample;
  sample.time = unit::contract_time;
  sample.seconds = 10;
  sample.source = AW_SOURCE_FENTRY;
  sample.address = unit::an_address("10.0.0.5");
  sample.port = 9799;
  sample.netns = 4026531840;
  sample.owner = Owner{4711, "java", {}};
  sample.owners = 1;
  sample.accept_queue = Queue{3, 10};
  sample.accept_peak = 11;
  sample.oldest_seconds = 0.5;
  sample.syn_queue = Queue{0, 10};
  sample.lost = {{AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 7},
                 {AW_LISTEN_DROP, AW_FIREWALL, 2},
                 {AW_RESET_SENT, AW_ABORT_ON_OVERFLOW, 1}};
  sample.lost_is_all = true;
  sample.arrivals = 120;
  sample.accepts = 110;
  EXPECT_EQ(formatted(sample),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"sample","sequence":0},)"
            R"("server":{"address":"10.0.0.5","port":9799},)"
            R"("network":{"transport":"tcp","type":"ipv4"},"process":{"pid":4711,"name":"java"},)"
            R"("acceptwatch":{"owners":1,)"
            R"("accept_queue":{"depth":3,"limit":10,"oldest_seconds":0.5,"peak":11},)"
            R"("syn_queue":{"depth":0,"limit":10,"peak":0},"netns":4026531840,"source":"fentry",)"
            R"("sample":{"seconds":10.0,"arrivals":120,"accepts":110,)"
            R"("lost":{"listen_drop":{"accept_queue_full":7,"firewall":2},)"
            R"("reset_sent":{"abort_on_overflow":1}}}}})"
            "\n");
}

TEST(NdjsonSample, HasNoKeyForWhatIsNotKnown) {
  Sample sample;
  sample.address = unit::an_address("::");
  const auto document = unit::parse_line(formatted(sample));
  for (const char* path : {"/process", "/acceptwatch/accept_queue", "/acceptwatch/syn_queue",
                           "/acceptwatch/sample/accepts", "/acceptwatch/sample/arrivals",
                           "/acceptwatch/sample/waits", "/acceptwatch/netns"})
    EXPECT_FALSE(at(document, path)) << path;
  EXPECT_FALSE(at(document, "/acceptwatch/sample/lost")) << "some may have passed unseen";
  sample.lost_is_all = true;
  EXPECT_TRUE(at(unit::parse_line(formatted(sample)), "/acceptwatch/sample/lost"));
  sample.lost_is_all = false;
  sample.lost = {{AW_LISTEN_DROP, AW_FIREWALL, 2}};
  const auto some = unit::parse_line(formatted(sample));
  EXPECT_FALSE(at(some, "/acceptwatch/sample/lost"));
  EXPECT_TRUE(at(some, "/acceptwatch/sample/lost_at_least/listen_drop/firewall"));
}

TEST(NdjsonSummary, HasARecordOfEachTotalBeforeItself) {
  Snapshot summary;
  summary.time = unit::contract_time;
  summary.seconds = 1.5;
  summary.records = 3;
  summary.lost = 2;
  summary.totals = {a_total()};
  summary.outcome = Outcome::found;
  summary.causes = {{"accept_queue", CauseState::holds, "accept queue full"},
                    {"firewall", CauseState::unseen, "a firewall of this host: nobody looks"},
                    {"syn_queue", CauseState::excluded, "SYN queue full: no SYN found it full"}};
  EXPECT_EQ(formatted(summary),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"total","sequence":0},)"
            R"("server":{"address":"10.0.0.5","port":9799},)"
            R"("network":{"transport":"tcp","type":"ipv4"},)"
            R"("process":{"pid":4711,"name":"java","linux":{"cgroup":"/shop"}},)"
            R"("acceptwatch":{"netns":4026531840,"total":{"action":"listen_drop",)"
            R"("reason":"accept_queue_full","stage":"ack","count":12}}})"
            "\n"
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"metric","action":"summary","sequence":1},)"
            R"("acceptwatch":{"summary":{"seconds":1.5,"records":3,"records_lost":2,"totals":1,)"
            R"("listeners":0,"findings":[],"outcome":"found","not_seen":["firewall"]}}})"
            "\n");
}

TEST(NdjsonSummary, OfATotalWithoutListenerHasNoKeysForIt) {
  Snapshot summary;
  summary.totals.emplace_back();
  summary.totals[0].action = AW_RESET_SENT;
  summary.totals[0].reason = AW_NO_LISTENER;
  summary.totals[0].count = 5;
  const auto totals = records_of(summary, "total");
  ASSERT_EQ(totals.size(), 1U);
  for (const char* path : {"/server", "/process", "/acceptwatch/netns"})
    EXPECT_FALSE(at(totals[0], path)) << path;
}

TEST(NdjsonSummary, NamesEachFindingOnce) {
  Snapshot summary;
  Event finding;
  finding.verdict.emplace().finding.name = "syn_flood";
  summary.findings = {finding, finding};
  const auto records = records_of(summary, "summary");
  ASSERT_EQ(records.size(), 1U);
  ASSERT_EQ(at(records[0], "/acceptwatch/summary/findings")->Size(), 1U);
  EXPECT_EQ(text_at(records[0], "/acceptwatch/summary/findings/0"), "syn_flood");
}

TEST(NdjsonSummary, OfThousandsOfTotalsStaysExact) {
  Snapshot summary;
  summary.totals.assign(5000, a_total());
  uint64_t sum = 0;
  for (const auto& total : records_of(summary, "total"))
    sum += at(total, "/acceptwatch/total/count")->GetUint64();
  sum += at(records_of(summary, "summary")[0], "/acceptwatch/summary/other")->GetUint64();
  EXPECT_EQ(sum, 5000U * 12U);
}

/// Fifteen control characters are ninety bytes of JSON: any user may do that.
TEST(NdjsonSummary, OfHostileNamesStaysInItsLines) {
  auto total = a_total();
  total.owner = Owner{4'194'304, std::string(15, '\x01'), std::string(4095, '\x01')};
  Snapshot summary;
  summary.totals = {total};
  EXPECT_EQ(records_of(summary, "total").size(), 1U);
}

TEST(NdjsonAudit, IsARecordOfEachNamespace) {
  Snapshot summary;
  summary.audit.emplace();
  summary.audit->namespaces = {
      {4026531840, false, {{"ListenOverflows", 3, 3, ""}, {"OutRsts", 9, 2, "others, too"}}},
      {4026532000, true, {{"ListenDrops", 1, 1, ""}}}};
  summary.audit->unread = 2;
  summary.audit->compared = 3;
  summary.audit->uncompared = 4;
  const auto audits = records_of(summary, "audit");
  ASSERT_EQ(audits.size(), 3U);
  EXPECT_EQ(at(audits[0], "/acceptwatch/netns")->GetUint(), 4026531840U);
  EXPECT_EQ(at(audits[0], "/acceptwatch/audit/counters/OutRsts/explained")->GetUint(), 2U);
  EXPECT_EQ(text_at(audits[0], "/acceptwatch/audit/counters/OutRsts/difference"), "others, too");
  EXPECT_FALSE(at(audits[0], "/acceptwatch/audit/gone"));
  EXPECT_TRUE(at(audits[1], "/acceptwatch/audit/gone")->GetBool());
  EXPECT_EQ(at(audits[2], "/acceptwatch/audit/namespaces")->GetUint(), 2U);
  EXPECT_EQ(at(audits[2], "/acceptwatch/audit/left_out")->GetUint(), 0U);
  EXPECT_EQ(at(audits[2], "/acceptwatch/audit/unread")->GetUint(), 2U);
  EXPECT_EQ(at(audits[2], "/acceptwatch/audit/compared")->GetUint(), 3U);
  EXPECT_EQ(at(audits[2], "/acceptwatch/audit/uncompared")->GetUint(), 4U);
}

TEST(NdjsonAudit, OfLongReasonsIsSeveralLines) {
  Audit audit;
  audit.namespaces.emplace_back();
  for (const char* name : {"A", "B", "C", "D", "E", "F"})
    audit.namespaces[0].counters.push_back({name, 2, 1, std::string(900, 'x')});
  size_t counters = 0;
  for (const auto& line : lines_of(formatted(audit))) {
    EXPECT_LE(line.size(), max_line);
    const auto document = unit::parse_line(line);
    if (const auto* some = at(document, "/acceptwatch/audit/counters"))
      counters += some->MemberCount();
  }
  EXPECT_EQ(counters, 6U);
}

TEST(NdjsonAudit, OfManyNamespacesSaysHowManyAreLeftOut) {
  Snapshot summary;
  summary.audit.emplace();
  summary.audit->namespaces.assign(500, {4026531840, false, {{"ListenDrops", 1, 1, ""}}});
  const auto audits = records_of(summary, "audit");
  ASSERT_GT(audits.size(), 1U);
  EXPECT_EQ(audits.size() - 1 + at(audits.back(), "/acceptwatch/audit/left_out")->GetUint64(),
            500U);
}

TEST(NdjsonAudit, SaysWhyThereIsNone) {
  Audit audit;
  audit.incomparable = {"port=80"};
  const auto document = unit::parse_line(formatted(audit));
  EXPECT_EQ(text_at(document, "/acceptwatch/audit/incomparable/0"), "port=80");
  EXPECT_FALSE(at(document, "/acceptwatch/audit/namespaces"));
}

} // namespace
} // namespace acceptwatch
