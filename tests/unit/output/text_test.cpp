// SPDX-License-Identifier: Apache-2.0
// What stands in the rows, and how wide they are.
#include "support/text_fixture.h"

#include <set>

namespace acceptwatch {
namespace {

using unit::contract_event;
using unit::TextTest;

TEST_F(TextTest, HeaderNamesTheColumns) {
  EXPECT_EQ(formatted(Start{}), "TIME         PORT  PROCESS        ACCEPTQ    SYNQ WHAT\n");
}

TEST_F(TextTest, RowStandsBelowTheHeader) {
  EXPECT_EQ(formatted(contract_event()),
            "12:17:03.120 9799  java/4711        11/10    3/10 ACK dropped: accept queue full\n");
}

TEST_F(TextTest, WhatIsNotKnownIsADash) {
  Event event;
  event.time = unit::contract_time;
  event.action = AW_RESET_SENT;
  event.reason = AW_NO_LISTENER;
  EXPECT_EQ(formatted(event),
            "12:17:03.120 -     -                    -       - RST: nobody listens here\n");
}

TEST_F(TextTest, RetransmitCountsItsRetries) {
  auto event = contract_event();
  event.action = AW_SYNACK_RETRANSMIT;
  event.reason = AW_ACK_DROPPED;
  event.retry = 3;
  EXPECT_TRUE(formatted(event).ends_with(" SYN-ACK again: ACK dropped #3\n"));
}

TEST_F(TextTest, SeveralOccurrencesAreCounted) {
  auto event = contract_event();
  event.stage = AW_STAGE_NONE;
  event.count = 12;
  EXPECT_TRUE(formatted(event).ends_with(" dropped: accept queue full x12\n"));
}

TEST_F(TextTest, ClosedListenerSaysHowManyWereLostWithIt) {
  auto event = contract_event();
  event.action = AW_LISTENER_CLOSED;
  event.reason = AW_REASON_NONE;
  EXPECT_TRUE(formatted(event).ends_with(" listener closed, 14 lost\n"));
  event.accept_queue->depth = event.syn_queue->depth = 0;
  EXPECT_TRUE(formatted(event).ends_with(" listener closed\n"));
}

TEST_F(TextTest, OwnersAreCountedWhereTheyAreSeveral) {
  auto event = contract_event();
  event.owner = Owner{77, "nginx", {}};
  event.owners = 5;
  EXPECT_NE(formatted(event).find(" nginx/77 x5 "), std::string::npos);
}

TEST_F(TextTest, LongNameGivesWayAndThePidStays) {
  auto event = contract_event();
  event.owner = Owner{4'194'304, "0123456789abcde", {}};
  EXPECT_NE(formatted(event).find(" 01234~/4194304 "), std::string::npos) << formatted(event);
}

TEST_F(TextTest, NameThatJustFitsIsWhole) {
  auto event = contract_event();
  event.owner = Owner{4711, "123456789", {}};
  EXPECT_NE(formatted(event).find(" 123456789/4711 "), std::string::npos) << formatted(event);
  event.owner = Owner{4711, "1234567890", {}};
  EXPECT_NE(formatted(event).find(" 12345678~/4711 "), std::string::npos) << formatted(event);
}

TEST_F(TextTest, WhatHasNoFileLeftIsSaidForTheWait) {
  auto event = contract_event();
  event.action = AW_ACCEPT_STALLED;
  event.reason = AW_REASON_NONE;
  event.oldest_seconds = 1.5;
  EXPECT_NE(formatted(event).find(" no accept(), oldest waits 1.5s\n"), std::string::npos);
  event.shortage = FileShortage{.of_host = false, .files = {20, 20}};
  EXPECT_NE(formatted(event).find(" no descriptor left: 20/20\n"), std::string::npos);
  event.shortage->of_host = true;
  EXPECT_NE(formatted(event).find(" host has no file left: 20/20\n"), std::string::npos);
}

TEST_F(TextTest, OwnersStateStandsBelowTheEventBehindItsTime) {
  auto event = contract_event();
  event.owner_state = OwnerState{};
  const auto row = formatted(contract_event());
  EXPECT_EQ(formatted(event), row) << "nothing to say";
  event.owner_state->descriptors = FileUsage{20, 20};
  EXPECT_EQ(formatted(event), row + "             20/20 descriptors\n");
  event.owner_state->threads.total = 1;
  event.owner_state->threads.stacks = {{{"do_poll", "__x64_sys_poll"}, 1}};
  EXPECT_EQ(formatted(event), row + "             20/20 descriptors\n"
                                    "             in do_poll <- sys_poll\n");
}

TEST_F(TextTest, LostRecordsAreSaidAloud) {
  EXPECT_EQ(formatted(Lost{unit::contract_time, "ring_buffer", 17}),
            "12:17:03.120 17 records lost (ring_buffer); the totals still count them\n");
}

TEST_F(TextTest, SummaryOfNothingSaysSo) {
  Snapshot summary;
  summary.seconds = 6.84;
  EXPECT_EQ(formatted(summary), "\n6.8 s watched, 0 records\nNothing was lost.\n");
  // Others were asked for: -e reset_sent,finding.
  Total& seen = summary.seen.emplace_back();
  seen.action = AW_LISTEN_DROP;
  seen.count = 2;
  EXPECT_EQ(formatted(summary), "\n6.8 s watched, 0 records\n"
                                "Nothing of what was asked for, but 2 packets were dropped.\n");
}

TEST_F(TextTest, SummaryHasARowForEachTotal) {
  Snapshot summary;
  summary.seconds = 60;
  summary.records = 5;
  summary.lost = 2;
  summary.totals = {total_of(contract_event(), 12)};
  summary.totals.emplace_back();
  summary.totals[1].action = AW_RESET_SENT;
  summary.totals[1].reason = AW_NO_LISTENER;
  summary.totals[1].count = 3;
  EXPECT_EQ(formatted(summary),
            "\n60.0 s watched, 5 records, 2 lost\n"
            "   COUNT  LISTENER              PROCESS        WHAT\n"
            "      12  10.0.0.5:9799         java/4711      ACK dropped: accept queue full\n"
            "       3  -                     -              RST: nobody listens here\n");
}

TEST_F(TextTest, WideHasAllColumns) {
  auto event = contract_event();
  EXPECT_EQ(formatted(Start{}, {.wide = true}),
            "TIME         LISTENER                    CLIENT                      PROCESS        "
            "          ACCEPTQ      SYNQ      NETNS SOURCE     WHAT\n");
  EXPECT_EQ(formatted(event, {.wide = true}),
            "12:17:03.120 10.0.0.5:9799               10.0.0.9:51812              java/4711      "
            "            11/10      3/10 4026531840 fentry     ACK dropped: accept queue full "
            "[TCP_LISTEN_OVERFLOW]\n");
}

TEST_F(TextTest, WideShowsWholeNamesAndIpv6InBrackets) {
  auto event = contract_event();
  event.server_address = unit::an_address("2001:db8::1");
  event.client_address.reset();
  event.owner = Owner{4'194'304, "0123456789abcde", {}};
  const auto row = formatted(event, {.wide = true});
  EXPECT_NE(row.find("[2001:db8::1]:9799"), std::string::npos) << row;
  EXPECT_NE(row.find(" *:51812 "), std::string::npos) << row;
  EXPECT_NE(row.find("0123456789abcde/4194304"), std::string::npos) << row;
}

/// Every kind of row, with the longest ordinary values.
std::vector<Event> ordinary_events() {
  std::vector<Event> events;
  auto event = contract_event();
  event.server_port = 65535;
  event.owner = Owner{4'194'304, "0123456789abcde", {}};
  event.owners = 64;
  event.accept_queue = event.syn_queue = Queue{512, 511};
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    for (int reason = AW_REASON_NONE; reason < AW_NR_REASONS; ++reason) {
      for (int stage = AW_STAGE_NONE; stage < AW_NR_STAGES; ++stage) {
        event.action = static_cast<aw_action>(action);
        event.reason = static_cast<aw_reason>(reason);
        event.stage = static_cast<aw_stage>(stage);
        event.retry.reset();
        if (action == AW_SYNACK_RETRANSMIT)
          event.retry = 5; // tcp_synack_retries
        events.push_back(event);
      }
    }
  }
  return events;
}

class TextWidth : public TextTest {
protected:
  /// Notes a text whose lines do not all fit.
  void check(const std::string& text) {
    if (width(text) > 80)
      too_wide.insert(text);
  }

  std::set<std::string> too_wide;
};

TEST_F(TextWidth, OfRowsIsAtMost80) {
  check(formatted(Start{}));
  for (const auto& event : ordinary_events())
    check(formatted(event));
  EXPECT_EQ(too_wide, std::set<std::string>{});
}

TEST_F(TextWidth, OfRowsWithTheDefaultBacklogOf4096IsAtMost80) {
  for (auto event : ordinary_events()) {
    event.accept_queue = Queue{4097, 4096}; // net.core.somaxconn since 5.4
    event.syn_queue = Queue{0, 4096};
    check(formatted(event));
  }
  EXPECT_EQ(too_wide, std::set<std::string>{});
}

TEST_F(TextWidth, OfRowsThatStandForSeveralIsAtMost80) {
  for (const aw_reason reason : {AW_ACCEPT_QUEUE_FULL, AW_SYN_QUEUE_FULL}) {
    auto event = contract_event();
    event.source = AW_SOURCE_POLL; // which counts by the second
    event.stage = AW_STAGE_NONE;
    event.reason = reason;
    event.count = 12;
    check(formatted(event));
  }
  EXPECT_EQ(too_wide, std::set<std::string>{});
}

TEST_F(TextWidth, OfRowsWithAChainIsAtMost80) {
  for (const aw_action action : {AW_LISTEN_DROP, AW_RESET_SENT}) {
    auto event = contract_event();
    event.action = action;
    event.reason = AW_FIREWALL;
    event.accept_queue = event.syn_queue = std::nullopt;
    event.chain = Chain{"filter", "in_public_deny_of_every_zone"};
    check(formatted(event));
    event.count = 12345;
    check(formatted(event));
  }
  EXPECT_EQ(too_wide, std::set<std::string>{});
}

TEST_F(TextWidth, OfTheSummaryIsAtMost80) {
  Snapshot summary;
  for (const auto& event : ordinary_events()) {
    auto total = total_of(event, 12'345'678);
    total.owner = Owner{4711, "java", {}};
    summary.totals = {total};
    check(formatted(summary));
  }
  EXPECT_EQ(too_wide, std::set<std::string>{});
}

TEST_F(TextWidth, OfLostRecordsIsAtMost80) {
  for (const char* where : {"ring_buffer", "counter_map", "program"})
    check(formatted(Lost{unit::contract_time, where, 1'234'567}));
  EXPECT_EQ(too_wide, std::set<std::string>{});
}

} // namespace
} // namespace acceptwatch
