// SPDX-License-Identifier: Apache-2.0
#include "output/check.h"

#include "support/json.h"
#include "support/records.h"
#include "support/schema.h"

namespace acceptwatch {
namespace {

using unit::at;
using unit::text_at;

CheckReport usable() {
  CheckReport report;
  report.origin = {unit::contract_time, "shop1", "0.1.0"};
  report.kernel = "6.18.0";
  report.facts = {{"lockdown", "none"}};
  report.tiers = {{AW_SOURCE_FENTRY, false, "fentry is refused", "Use another."},
                  {AW_SOURCE_TRACEPOINT, true, "", ""}};
  report.chosen = AW_SOURCE_TRACEPOINT;
  report.probes = {"ingress", "skb_drop"};
  report.blind = {{AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_NONE, "", "too early", "Wait."},
                  {AW_RESET_SENT, AW_REASON_NONE, AW_STAGE_ACK, "client.port", "unread", ""}};
  return report;
}

CheckReport unusable() {
  auto report = usable();
  report.chosen.reset();
  report.probes.clear();
  report.blind.clear();
  report.error = "CAP_BPF is missing";
  report.advice = "Run acceptwatch as root.";
  return report;
}

TEST(CheckAsJson, IsWhatItsSchemaSays) {
  const unit::Schema schema{"acceptwatch-check-1.json"};
  EXPECT_EQ(schema.complaint(check_as_json(usable())), "");
  EXPECT_EQ(schema.complaint(check_as_json(unusable())), "");
  EXPECT_NE(schema.complaint("{}\n"), "");
}

TEST(CheckAsJson, OfAUsableKernelHasItsTierAndProbes) {
  const auto document = unit::parse_line(check_as_json(usable()));
  EXPECT_TRUE(at(document, "/usable")->GetBool());
  EXPECT_EQ(text_at(document, "/@timestamp"), "2026-11-22T12:17:03.120345678Z");
  EXPECT_EQ(text_at(document, "/host/name"), "shop1");
  EXPECT_EQ(text_at(document, "/version"), "0.1.0");
  EXPECT_EQ(text_at(document, "/tier"), "tracepoint");
  EXPECT_EQ(text_at(document, "/probes/1"), "skb_drop");
  EXPECT_EQ(text_at(document, "/features/lockdown"), "none");
  EXPECT_FALSE(at(document, "/error"));
}

TEST(CheckAsJson, SaysOfEachTierWhetherAndWhyNot) {
  const auto document = unit::parse_line(check_as_json(usable()));
  EXPECT_FALSE(at(document, "/tiers/fentry/available")->GetBool());
  EXPECT_EQ(text_at(document, "/tiers/fentry/why"), "fentry is refused");
  EXPECT_EQ(text_at(document, "/tiers/fentry/remedy"), "Use another.");
  EXPECT_TRUE(at(document, "/tiers/tracepoint/available")->GetBool());
  EXPECT_FALSE(at(document, "/tiers/tracepoint/why"));
}

TEST(CheckAsJson, ListsBlindSpotsWithTheKeysThatTheyHave) {
  const auto document = unit::parse_line(check_as_json(usable()));
  EXPECT_EQ(text_at(document, "/blind/0/action"), "listen_drop");
  EXPECT_EQ(text_at(document, "/blind/0/reason"), "request_failed");
  EXPECT_EQ(text_at(document, "/blind/0/remedy"), "Wait.");
  EXPECT_FALSE(at(document, "/blind/0/stage"));
  EXPECT_FALSE(at(document, "/blind/0/field"));
  EXPECT_EQ(text_at(document, "/blind/1/stage"), "ack");
  EXPECT_EQ(text_at(document, "/blind/1/field"), "client.port");
  EXPECT_FALSE(at(document, "/blind/1/remedy"));
}

TEST(CheckAsJson, OfAnUnusableKernelSaysWhyAndWhatToDo) {
  const auto document = unit::parse_line(check_as_json(unusable()));
  EXPECT_FALSE(at(document, "/usable")->GetBool());
  EXPECT_FALSE(at(document, "/tier"));
  EXPECT_EQ(text_at(document, "/error"), "CAP_BPF is missing");
  EXPECT_EQ(text_at(document, "/advice"), "Run acceptwatch as root.");
}

bool shows(const std::string& text, const char* line) {
  return text.find(std::string{"\n"} + line) != std::string::npos;
}

TEST(CheckAsText, MarksTheTierThatIsUsed) {
  const auto text = check_as_text(usable());
  EXPECT_TRUE(text.starts_with("acceptwatch 0.1.0 on kernel 6.18.0\n")) << text;
  EXPECT_TRUE(shows(text, "* tracepoint   works\n")) << text;
  EXPECT_TRUE(shows(text, "  fentry       fentry is refused\n")) << text;
  EXPECT_TRUE(shows(text, "               Use another.\n")) << text;
}

TEST(CheckAsText, ListsWhatIsOutOfSightWithItsRemedy) {
  const auto text = check_as_text(usable());
  EXPECT_TRUE(shows(text, "  listen_drop/request_failed\n      too early\n      Wait.\n")) << text;
  EXPECT_TRUE(shows(text, "  reset_sent at stage ack: no client.port\n      unread\n")) << text;
}

TEST(CheckAsText, SaysWhereNothingIsOutOfSight) {
  auto report = usable();
  report.blind.clear();
  EXPECT_TRUE(
      shows(check_as_text(report), "Nothing of what it watches for is out of its sight.\n"));
}

TEST(CheckAsText, OfAnUnusableKernelEndsWithTheErrorAndTheAdvice) {
  EXPECT_TRUE(
      check_as_text(unusable()).ends_with("\nCAP_BPF is missing.\nRun acceptwatch as root.\n"));
}

} // namespace
} // namespace acceptwatch
