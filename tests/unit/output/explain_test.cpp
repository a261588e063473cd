// SPDX-License-Identifier: Apache-2.0
#include "output/explain.h"

#include "support/json.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

Summary summary() {
  Summary summary;
  summary.seconds = 4;
  summary.ruled_out = {"firewall of this host: it dropped no packet to this port"};
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
      {"closed_port", Confidence::certain, "nobody listens there", {}, "Start it."}, false, 1};
  return event;
}

std::string explained(bool json, bool lost, const Summary& summary) {
  ExplainFormatter formatter{80, json};
  std::string out;
  formatter.format(Start{}, out);
  if (lost)
    formatter.format(drop(), out);
  formatter.format(Lost{}, out);
  EXPECT_EQ(out, "") << "no records";
  formatter.format(summary, out);
  return out;
}

TEST(Explain, SaysThatNothingWasSeen) {
  const auto text = explained(false, false, summary());
  EXPECT_NE(text.find("nothing was lost"), std::string::npos) << text;
  EXPECT_NE(text.find("Nothing seen: no finding."), std::string::npos) << text;
  EXPECT_NE(text.find("Ruled out\n  firewall"), std::string::npos) << text;
}

TEST(Explain, SaysWhatItIs) {
  auto found = summary();
  found.findings = {finding()};
  const auto text = explained(false, true, found);
  EXPECT_NE(text.find("3 packets lost"), std::string::npos) << text;
  EXPECT_NE(text.find("closed_port on port 80 (nobody), certain\n"), std::string::npos) << text;
}

TEST(Explain, LossesThatNoRuleExplainsAreNotHidden) {
  const auto text = explained(false, true, summary());
  EXPECT_NE(text.find("No rule explains it"), std::string::npos) << text;
}

TEST(Explain, IsOneObjectInJson) {
  auto found = summary();
  found.findings = {finding()};
  const auto json = unit::parse_line(explained(true, true, found));
  EXPECT_EQ(json["port"].GetInt(), 80);
  EXPECT_TRUE(json["seen"].GetBool());
  EXPECT_STREQ(json["findings"][0]["name"].GetString(), "closed_port");
  EXPECT_EQ(json["losses"].GetInt(), 3);
}

} // namespace
} // namespace acceptwatch
