// SPDX-License-Identifier: Apache-2.0
#include "output/findings.h"

#include "output/ndjson.h"
#include "output/text.h"
#include "support/json.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

Event stuck(FindingState state) {
  Event event;
  event.action = AW_FINDING;
  event.source = AW_SOURCE_FENTRY;
  event.server_port = uint16_t{9799};
  event.accept_queue = Queue{11, 10};
  event.owner = Owner{4711, "java", {}};
  event.owners = 1;
  event.verdict = Verdict{{"stuck_acceptor",
                           Confidence::certain,
                           "nothing was accepted for 2.0 s while 11 connections waited",
                           {{"idle_seconds", 2}},
                           "See what its threads do."},
                          state,
                          3.5};
  return event;
}

TEST(FindingRecord, NamesTheFindingAsItsReason) {
  std::string out;
  NdjsonFormatter{}.format(stuck(FindingState::begun), out);
  const auto json = unit::parse_line(out);
  EXPECT_STREQ(json["event"]["action"].GetString(), "finding");
  EXPECT_STREQ(json["event"]["reason"].GetString(), "stuck_acceptor");
  const auto& finding = json["acceptwatch"]["finding"];
  EXPECT_STREQ(finding["state"].GetString(), "begun");
  EXPECT_STREQ(finding["confidence"].GetString(), "certain");
  EXPECT_EQ(finding["evidence"]["idle_seconds"].GetDouble(), 2);
  EXPECT_EQ(finding["seconds"].GetDouble(), 3.5);
}

TEST(FindingLine, IsFollowedByWhatAndAdvice) {
  std::string out;
  TextFormatter{TextStyle{}}.format(stuck(FindingState::begun), out);
  EXPECT_NE(out.find("=> stuck_acceptor\n"), std::string::npos) << out;
  EXPECT_NE(out.find("-> See what its threads do.\n"), std::string::npos) << out;
}

TEST(FindingLine, SaysThatItGoesOn) {
  std::string out;
  TextFormatter{TextStyle{}}.format(stuck(FindingState::goes_on), out);
  EXPECT_NE(out.find("still: stuck_acceptor\n"), std::string::npos) << out;
  EXPECT_NE(out.find("nothing was accepted for 2.0 s"), std::string::npos) << out;
}

TEST(FindingLine, ItsEndIsOneLine) {
  std::string out;
  TextFormatter{TextStyle{}}.format(stuck(FindingState::ended), out);
  EXPECT_TRUE(out.ends_with("over: stuck_acceptor\n")) << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
}

TEST(FindingsText, IsAParagraphEach) {
  EXPECT_EQ(findings_text({stuck(FindingState::ended)}),
            "stuck_acceptor on port 9799 (java/4711), certain, over after 3.5s\n"
            "  nothing was accepted for 2.0 s while 11 connections waited\n"
            "  -> See what its threads do.\n");
  EXPECT_EQ(findings_text({}), "");
}

TEST(ListenersText, ShowsPeaksLossesAndWaits) {
  ListenerReport report;
  report.port = 9799;
  report.owner = Owner{4711, "java", {}};
  report.accept_queue = Queue{0, 10};
  report.accept_peak = 11;
  report.accept_peak_limit = 10;
  report.lost = 17;
  report.accepted = 28;
  report.waits = Percentiles{0.001, 0.5, 9.5, 9.9};
  report.histogram = {0, 1, 0, 8, 0};
  const auto text = listeners_text({report});
  EXPECT_NE(
      text.find("9799  java/4711            11/10      17       28  1.0ms/9.5s/9.9s       ▁ █\n"),
      std::string::npos)
      << text;
}

TEST(ListenersText, WithoutTimesAtAcceptHasTheLongestWaitThatWasSeen) {
  ListenerReport report;
  report.oldest_seconds = 4.0;
  EXPECT_NE(listeners_text({report}).find(">= 4.0s\n"), std::string::npos);
}

TEST(ListenersText, HasRatesBelowTheRow) {
  ListenerReport report;
  report.accepted = 100;
  auto& flow = report.flow.emplace();
  flow.seconds = 20;
  flow.entered = 120;
  flow.full = 40;
  flow.accepted = 100;
  EXPECT_NE(listeners_text({report}).find("\n      arrivals 8.0/s, accepted 5.0/s in 20s\n"),
            std::string::npos)
      << listeners_text({report});
  flow = Flow{};
  flow.seconds = 20;
  EXPECT_EQ(listeners_text({report}).find("arrivals"), std::string::npos) << "of nothing";
}

TEST(ListenersText, SaysOfWhatAWaitIsDerived) {
  ListenerReport report;
  report.derived = true;
  report.oldest_seconds = 0.219;
  auto& flow = report.flow.emplace();
  flow.seconds = 23;
  flow.entered = flow.accepted = 2300;
  flow.looks = 93;
  flow.listeners = 4;
  flow.mean_wait_seconds = 0.141;
  const auto text = listeners_text({report});
  EXPECT_NE(text.find("  ~141ms mean, >= 219ms\n"), std::string::npos) << text;
  EXPECT_NE(text.find("      arrivals 100.0/s, accepted 100.0/s in 23s, derived from 93 looks; "
                      "4 listeners\n"),
            std::string::npos)
      << text;
}

TEST(ListenerRecord, MarksWhatIsDerived) {
  Snapshot summary;
  auto& report = summary.listeners.emplace_back();
  report.derived = true;
  auto& flow = report.flow.emplace();
  flow.seconds = 10;
  flow.entered = 50;
  flow.full = 10;
  flow.accepted = 40;
  flow.looks = 40;
  flow.mean_wait_seconds = 0.5;
  std::string out;
  NdjsonFormatter{}.format(summary, out);
  EXPECT_NE(out.find(R"("derived":true,"rates":{"seconds":10.0,"arrivals":6.0,"accepts":4.0,)"
                     R"("looks":40,"listeners":1},"mean_wait_seconds":0.5)"),
            std::string::npos)
      << out;
}

TEST(ListenerRecord, HasRatesThatWereCounted) {
  Snapshot summary;
  auto& report = summary.listeners.emplace_back();
  report.accepted = 40;
  auto& flow = report.flow.emplace();
  flow.seconds = 10;
  flow.entered = flow.accepted = 40;
  std::string out;
  NdjsonFormatter{}.format(summary, out);
  EXPECT_NE(out.find(R"("accepted":40,"rates":{"seconds":10.0,"arrivals":4.0,"accepts":4.0})"),
            std::string::npos)
      << out;
}

TEST(ListenersText, OfNoneThereIsNoTable) { EXPECT_EQ(listeners_text({}), ""); }

TEST(ListenersTable, MarksALossThatMayNotBeAll) {
  ListenerReport report;
  report.port = 80;
  report.lost_is_all = false;
  EXPECT_NE(listeners_text({report}).find(" ? "), std::string::npos) << listeners_text({report});
  report.lost = 5;
  EXPECT_NE(listeners_text({report}).find(" 5+ "), std::string::npos) << listeners_text({report});
  report.lost_is_all = true;
  EXPECT_NE(listeners_text({report}).find(" 5 "), std::string::npos) << listeners_text({report});
}

TEST(ListenerRecord, HasNoNumberOfLossesThatIsNotKnown) {
  const auto written = [](const ListenerReport& report) {
    std::string out;
    JsonWriter json{out};
    write_listener_report(json, report);
    return out;
  };
  ListenerReport report;
  EXPECT_NE(written(report).find(R"("lost":0)"), std::string::npos);
  report.lost_is_all = false;
  EXPECT_EQ(written(report).find("lost"), std::string::npos) << written(report);
  report.lost = 5;
  EXPECT_NE(written(report).find(R"("lost_at_least":5)"), std::string::npos) << written(report);
}

} // namespace
} // namespace acceptwatch
