// SPDX-License-Identifier: Apache-2.0
#include "diagnose/diagnosis.h"

#include <csignal>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr uint64_t second = 1'000'000'000;
constexpr SubjectKey shop{7, 1, 80};

Event drop(aw_reason reason = AW_ACCEPT_QUEUE_FULL) {
  Event event;
  event.action = AW_LISTEN_DROP;
  event.reason = reason;
  event.listener = shop.listener;
  event.netns = shop.netns;
  event.server_port = shop.port;
  return event;
}

QueueState full_since(uint64_t since, uint64_t at) {
  return {at, {11, 10}, {0, 10}, since / 1000, static_cast<double>(at - since) / 1e9};
}

QueueState empty(uint64_t at) { return {at, {0, 10}, {0, 10}, 0, 0}; }

class DiagnosisTest : public testing::Test {
protected:
  Diagnosis diagnosis{Thresholds{}};

  std::vector<std::string> judge(uint64_t at) {
    std::vector<std::string> told;
    for (const auto& change : diagnosis.judge(at))
      told.push_back(
          fmt::format("{}{}", change.verdict.has_ended() ? '-' : '+', change.verdict.finding.name));
    return told;
  }
};

using Told = std::vector<std::string>;

TEST_F(DiagnosisTest, LooksAtHealthyListenersLeaveNothing) {
  diagnosis.note_queues(shop, empty(second));
  diagnosis.note_queues(shop, full_since(2 * second, 2 * second + second / 10));
  EXPECT_FALSE(diagnosis.troubled());
}

TEST_F(DiagnosisTest, AFindingIsToldOnceWhenItBeginsAndOnceWhenItEnds) {
  diagnosis.note(drop(), second);
  diagnosis.note_queues(shop, full_since(second, second));
  EXPECT_EQ(judge(second), Told{});
  diagnosis.note_queues(shop, full_since(second, 3 * second));
  EXPECT_EQ(judge(3 * second), Told{"+stuck_acceptor"});
  EXPECT_EQ(judge(3 * second), Told{});
  diagnosis.note_queues(shop, empty(4 * second));
  EXPECT_EQ(judge(4 * second), (Told{"-stuck_acceptor"}));
}

TEST_F(DiagnosisTest, TroubleIsForgottenOnceItIsOver) {
  diagnosis.note(drop(AW_FIREWALL), second);
  EXPECT_EQ(judge(second), Told{"+firewall"});
  diagnosis.note(drop(AW_FIREWALL), 3 * second);
  EXPECT_EQ(judge(14 * second), Told{"-firewall"});
  EXPECT_FALSE(diagnosis.troubled());
  ASSERT_EQ(diagnosis.history().size(), 1U);
  EXPECT_TRUE(diagnosis.history()[0].verdict.has_ended());
  EXPECT_DOUBLE_EQ(diagnosis.history()[0].verdict.seconds, 2) << "without the time it is held for";
}

TEST_F(DiagnosisTest, AFindingThatGoesOnIsToldOnceAMinute) {
  uint64_t at = second;
  std::vector<uint64_t> told;
  for (int i = 0; i < 150; ++i, at += second) {
    if (i % 2 == 0) // within the time that it is held for
      diagnosis.note(drop(AW_FIREWALL), at);
    for (const auto& change : diagnosis.judge(at)) {
      EXPECT_EQ(change.verdict.state, i ? FindingState::goes_on : FindingState::begun);
      told.push_back(at / second);
    }
  }
  EXPECT_EQ(told, (std::vector<uint64_t>{1, 61, 121}));
}

TEST_F(DiagnosisTest, AFindingThatGrowsTenfoldIsToldAtOnce) {
  const auto lose = [&](int count, uint64_t at) {
    for (int i = 0; i < count; ++i)
      diagnosis.note(drop(AW_FIREWALL), at);
    return judge(at).size();
  };
  EXPECT_EQ(lose(5, second), 1U);
  EXPECT_EQ(lose(94, 2 * second), 0U);
  EXPECT_EQ(lose(1, 3 * second), 1U) << "a hundred";
  EXPECT_EQ(lose(899, 4 * second), 0U);
  EXPECT_EQ(lose(1, 5 * second), 1U) << "a thousand";
}

TEST_F(DiagnosisTest, HistoryHasTheLatestNumbers) {
  diagnosis.note(drop(AW_FIREWALL), second);
  static_cast<void>(judge(second));
  diagnosis.note(drop(AW_FIREWALL), 2 * second);
  static_cast<void>(judge(2 * second));
  EXPECT_EQ(diagnosis.history()[0].verdict.finding.evidence[0].value, 2);
}

TEST_F(DiagnosisTest, AnAcceptInBetweenIsNoStall) {
  diagnosis.note_queues(shop, full_since(second, 2 * second));
  diagnosis.note_queues(shop, full_since(second + 1000, 3 * second)); // another is at the head
  EXPECT_TRUE(diagnosis.take_stalls().empty());
  diagnosis.note_queues(shop, full_since(second + 1000, 4 * second));
  const auto stalls = diagnosis.take_stalls();
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_DOUBLE_EQ(stalls[0].idle_seconds, 1);
  EXPECT_TRUE(diagnosis.take_stalls().empty()) << "told once";
}

TEST_F(DiagnosisTest, AnAcceptThatWasCountedIsNoStallEither) {
  diagnosis.note_accepted(shop.listener, 5, second);
  diagnosis.note_queues(shop, full_since(second, 2 * second));
  diagnosis.note_accepted(shop.listener, 5, 2 * second);
  diagnosis.note_accepted(shop.listener, 6, 3 * second);
  diagnosis.note_queues(shop, full_since(second, 3 * second + second / 2));
  EXPECT_TRUE(diagnosis.take_stalls().empty());
}

TEST_F(DiagnosisTest, WhatIsReadLateDoesNotTurnTheClockBack) {
  diagnosis.note_queues(shop, full_since(second, 5 * second));
  diagnosis.note_queues(shop, empty(2 * second));
  EXPECT_GT(diagnosis.facts_of(shop)->waiting_seconds, 0);
}

TEST_F(DiagnosisTest, WithoutLooksTheQueueIsNotFullForever) {
  diagnosis.note(drop(), second);
  diagnosis.note_queues(shop, full_since(second, second));
  diagnosis.note_queues(shop, full_since(second, 3 * second));
  EXPECT_EQ(judge(3 * second), Told{"+stuck_acceptor"});
  EXPECT_EQ(judge(14 * second), Told{"-stuck_acceptor"});
}

TEST_F(DiagnosisTest, AGapEndsWithTheNextListener) {
  Event refused = drop();
  refused.action = AW_RESET_SENT;
  refused.reason = AW_NO_LISTENER;
  refused.listener = 0;
  refused.former = FormerListener{{4711, "nginx", {}}, 0.5};
  diagnosis.note(refused, 10 * second);
  diagnosis.listener_opened({9, shop.netns, shop.port}, 4712, 12 * second);
  EXPECT_EQ(judge(12 * second), Told{"+restart_gap"});
  const auto& evidence = diagnosis.history()[0].verdict.finding.evidence;
  ASSERT_EQ(evidence.size(), 2U);
  EXPECT_EQ(evidence[1].name, "gap_seconds");
  EXPECT_DOUBLE_EQ(evidence[1].value, 2.5);
}

TEST(SubjectOf, WhatIsTranslatedIsTheListenersOwnPort) {
  Event event = drop();
  event.server_port = 443;
  event.server_nat = OwnEnd{{}, 80};
  EXPECT_EQ(subject_of(event).port, 80);
  event.is_passing = true;
  EXPECT_EQ(subject_of(event).port, 443) << "the port that is published";
}

TEST_F(DiagnosisTest, ADeathIsOfThePlaceAndNoOrderlyEndIs) {
  Event closed = drop();
  closed.action = AW_LISTENER_CLOSED;
  closed.end = ListenerEnd{AW_KILLED, SIGTERM, 4711, "nginx"};
  diagnosis.note(closed, second);
  EXPECT_EQ(diagnosis.facts_of({0, shop.netns, shop.port}), nullptr);
  closed.end->exit_code = SIGSEGV;
  diagnosis.note(closed, second);
  const Facts* place = diagnosis.facts_of({0, shop.netns, shop.port});
  ASSERT_NE(place, nullptr);
  EXPECT_EQ(place->died.count, 1U);
}

TEST_F(DiagnosisTest, ClientsAreCountedOnce) {
  Event event = drop(AW_FIREWALL);
  for (const uint8_t last : std::initializer_list<uint8_t>{1, 2, 1}) {
    event.client_address = Address{2, {10, 0, 0, last}};
    diagnosis.note(event, second);
  }
  EXPECT_EQ(diagnosis.facts_of(shop)->clients, 2U);
}

TEST_F(DiagnosisTest, APortScanTakesNoMoreThanItsRoom) {
  Event refused = drop();
  refused.action = AW_RESET_SENT;
  refused.reason = AW_NO_LISTENER;
  refused.listener = 0;
  for (uint16_t port = 1; port < 2000; ++port) {
    refused.server_port = port;
    diagnosis.note(refused, second);
  }
  EXPECT_NE(diagnosis.facts_of({0, shop.netns, 1}), nullptr);
  EXPECT_EQ(diagnosis.facts_of({0, shop.netns, 1999}), nullptr);
}

} // namespace
} // namespace acceptwatch
