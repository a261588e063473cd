// SPDX-License-Identifier: Apache-2.0
#include "output/explain.h"

#include "base/file.h"
#include "support/json.h"
#include "support/records.h"
#include "support/schema.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

Snapshot summary() {
  Snapshot summary;
  summary.seconds = 4;
  summary.outcome = Outcome::well;
  summary.arrived = 20;
  summary.causes = {
      {"firewall", CauseState::excluded, "a firewall of this host: it dropped no SYN"},
      {"before_tcp", CauseState::unseen, "dropped before TCP sees it: nobody looks"}};
  return summary;
}

Event drop() {
  Event event;
  event.action = AW_LISTEN_DROP;
  event.reason = AW_ACCEPT_QUEUE_FULL;
  event.count = 3;
  return event;
}

Event finding() {
  Event event;
  event.action = AW_FINDING;
  event.server_port = uint16_t{80};
  event.verdict = Verdict{
      {"closed_port", Confidence::certain, "nobody listens there", {{"refused", 3}}, "Start it."},
      FindingState::begun,
      1};
  return event;
}

std::string explained(bool json, bool lost, const Snapshot& summary) {
  ExplainFormatter formatter{80, json};
  std::string out;
  Start start;
  start.host = "shop1";
  start.version = "0.1.0";
  formatter.format(start, out);
  if (lost)
    formatter.format(drop(), out);
  formatter.format(Lost{}, out);
  EXPECT_EQ(out, "") << "no records";
  formatter.format(summary, out);
  return out;
}

Snapshot with_drops() {
  Snapshot found = summary();
  found.outcome = Outcome::found;
  Total& drops = found.seen.emplace_back();
  drops.action = AW_LISTEN_DROP;
  drops.reason = AW_ACCEPT_QUEUE_FULL;
  drops.count = 3;
  return found;
}

TEST(Explain, SaysThatNothingIsWrongOnlyWhereAllWouldHaveBeenSeen) {
  const auto text = explained(false, false, summary());
  EXPECT_NE(text.find("nothing is wrong: 20 handshakes came through."), std::string::npos) << text;
  auto blind = summary();
  blind.outcome = Outcome::unknown;
  const auto other = explained(false, false, blind);
  EXPECT_EQ(other.find("nothing is wrong"), std::string::npos) << other;
  EXPECT_NE(other.find("not everything could"), std::string::npos) << other;
}

TEST(Explain, SaysWhereToLookWhenConnectionsComeThrough) {
  auto innocent = summary();
  innocent.owner = Owner{4711, "sshd", {}};
  const auto text = explained(false, false, innocent);
  EXPECT_NE(text.find("Not watched\n  what becomes of connections after accept()"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("sshd/4711, and MaxStartups"), std::string::npos) << text;
  const unit::Schema schema{"acceptwatch-explain-1.json"};
  EXPECT_EQ(schema.complaint(explained(true, false, innocent)), "");
  innocent.findings = {finding()};
  EXPECT_EQ(explained(false, false, innocent).find("Not watched"), std::string::npos);
  innocent.findings.clear();
  innocent.arrived = 0;
  EXPECT_EQ(explained(false, false, innocent).find("Not watched"), std::string::npos)
      << "none was accepted";
}

TEST(Explain, TellsWhatIsRuledOutFromWhatCouldNotBeSeen) {
  const auto text = explained(false, false, summary());
  EXPECT_NE(text.find("Ruled out\n  a firewall"), std::string::npos) << text;
  EXPECT_NE(text.find("Could not be seen\n  dropped before"), std::string::npos) << text;
}

TEST(Explain, HasWhatTheKernelCountedBesides) {
  auto counted = summary();
  counted.evidence = {{"TSEcrRejected", 4, "ACKs dropped", "Look."}};
  const auto text = explained(false, false, counted);
  EXPECT_NE(text.find("  4 TSEcrRejected: ACKs dropped\n  -> Look.\n"), std::string::npos) << text;
}

TEST(Explain, SaysWhatItIs) {
  auto found = with_drops();
  found.findings = {finding()};
  const auto text = explained(false, true, found);
  EXPECT_NE(text.find("3 packets were dropped"), std::string::npos) << text;
  EXPECT_NE(text.find("closed_port on port 80 (no listener known), certain\n"), std::string::npos)
      << text;
}

TEST(Explain, LossesThatNoRuleExplainsAreNotHidden) {
  const auto text = explained(false, true, with_drops());
  EXPECT_NE(text.find("No rule explains it"), std::string::npos) << text;
}

TEST(Explain, IsOneObjectInJson) {
  auto found = with_drops();
  found.findings = {finding()};
  const auto json = unit::parse_line(explained(true, true, found));
  EXPECT_EQ(json["port"].GetInt(), 80);
  EXPECT_STREQ(json["outcome"].GetString(), "found");
  EXPECT_STREQ(json["findings"][0]["name"].GetString(), "closed_port");
  EXPECT_EQ(json["seen"][0]["count"].GetInt(), 3);
  EXPECT_STREQ(json["not_seen"][0].GetString(), "dropped before TCP sees it: nobody looks");
}

TEST(Explain, IsWhatItsSchemaSays) {
  const unit::Schema schema{"acceptwatch-explain-1.json"};
  auto found = with_drops();
  found.findings = {finding()};
  ListenerReport report;
  report.address = unit::an_address("10.0.0.5");
  report.port = 80;
  found.listeners = {report};
  EXPECT_EQ(schema.complaint(explained(true, true, found)), "");
  EXPECT_EQ(schema.complaint(explained(true, false, summary())), "");
  found.findings[0].verdict->finding.name = "bad_luck"; // not of the closed set
  EXPECT_NE(schema.complaint(explained(true, true, found)), "");
}

} // namespace
} // namespace acceptwatch
