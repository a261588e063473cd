// SPDX-License-Identifier: Apache-2.0
#include "diagnose/causes.h"

#include "base/file.h"
#include "diagnose/rules.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <set>

namespace acceptwatch {
namespace {

/// A port at which all is well and all is seen.
CauseFacts healthy() {
  CauseFacts facts;
  facts.arrived = 100;
  facts.unexplained.fill(0);
  facts.evidence.fill(0);
  facts.listening = true;
  facts.accept_queue = Queue{0, 16};
  facts.syn_queue = Queue{0, 16};
  return facts;
}

CauseState state_of(const CauseFacts& facts, std::string_view cause) {
  for (const auto& one : judge_causes(facts)) {
    if (one.cause == cause)
      return one.state;
  }
  ADD_FAILURE() << "there is no cause " << cause;
  return CauseState::unseen;
}

Outcome outcome(const CauseFacts& facts) { return outcome_of(facts, judge_causes(facts)); }

BlindSpot blind_to(aw_action action, aw_reason reason = AW_REASON_NONE,
                   aw_stage stage = AW_STAGE_NONE) {
  return {action, reason, stage, {}, "nobody looks", {}};
}

TEST(Causes, AreAllRuledOutWhereHandshakesComeThrough) {
  for (const auto& one : judge_causes(healthy()))
    EXPECT_EQ(one.state, CauseState::excluded) << one.what;
  EXPECT_EQ(outcome(healthy()), Outcome::well);
}

TEST(Causes, WithoutAHandshakeNothingSpeaksAgainstAFirewallOrWhatIsBeforeTcp) {
  auto facts = healthy();
  facts.arrived = 0;
  EXPECT_EQ(state_of(facts, "before_tcp"), CauseState::unseen);
  EXPECT_EQ(state_of(facts, "firewall"), CauseState::unseen);
  EXPECT_EQ(outcome(facts), Outcome::unknown);
  facts.arrived.reset();
  EXPECT_EQ(state_of(facts, "before_tcp"), CauseState::unseen);
}

TEST(Causes, WhatWasSeenHolds) {
  auto facts = healthy();
  facts.seen[{AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK}] = 1;
  EXPECT_EQ(state_of(facts, "accept_queue"), CauseState::holds);
  EXPECT_EQ(state_of(facts, "syn_queue"), CauseState::excluded);
  EXPECT_EQ(outcome(facts), Outcome::found);
}

TEST(Causes, AFindingHoldsThoughNoPacketWasDropped) {
  auto facts = healthy();
  facts.findings = {"slow_acceptor"};
  EXPECT_EQ(state_of(facts, "acceptor"), CauseState::holds);
  EXPECT_EQ(outcome(facts), Outcome::found);
}

TEST(Causes, WhatNoProgramSeesIsRuledOutByACounterThatDidNotMoveAlone) {
  auto facts = healthy();
  const std::array blind{blind_to(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK)};
  facts.blind = blind;
  EXPECT_EQ(state_of(facts, "accept_queue"), CauseState::excluded);
  facts.unexplained[static_cast<size_t>(KernelCounter::listen_overflows)] = 1;
  EXPECT_EQ(state_of(facts, "accept_queue"), CauseState::unseen);
  facts.unexplained[static_cast<size_t>(KernelCounter::listen_overflows)].reset();
  EXPECT_EQ(state_of(facts, "accept_queue"), CauseState::unseen) << "it was not compared";
}

TEST(Causes, BlindnessToAFieldHidesNothing) {
  auto facts = healthy();
  std::array blind{blind_to(AW_RESET_SENT, AW_NO_LISTENER)};
  blind[0].field = "client.address";
  facts.blind = blind;
  EXPECT_EQ(state_of(facts, "closed_port"), CauseState::excluded);
  blind[0].field.clear();
  EXPECT_EQ(state_of(facts, "closed_port"), CauseState::unseen);
}

TEST(Causes, ACounterThatMovedIsNeverRuledOut) {
  auto facts = healthy();
  facts.evidence[static_cast<size_t>(EvidenceCounter::ts_echo_rejected)] = 3;
  EXPECT_EQ(state_of(facts, "timestamps"), CauseState::unseen);
  EXPECT_EQ(outcome(facts), Outcome::unknown);
}

TEST(Causes, ACounterThatCannotBeReadRulesNothingOut) {
  auto facts = healthy();
  facts.evidence = {};
  for (const char* cause : {"timestamps", "conntrack", "host_limits"})
    EXPECT_EQ(state_of(facts, cause), CauseState::unseen) << cause;
}

TEST(Causes, LostRecordsMayHaveBeenOfAnything) {
  auto facts = healthy();
  facts.lost_records = 1;
  EXPECT_EQ(state_of(facts, "closed_port"), CauseState::unseen);
  EXPECT_EQ(state_of(facts, "accept_queue"), CauseState::excluded) << "its counter agrees";
}

TEST(Causes, OneSilentClientAmongManyIsSilentByItself) {
  auto facts = healthy();
  facts.seen[{AW_SYNACK_RETRANSMIT, AW_NO_ACK, AW_STAGE_NONE}] = 3;
  EXPECT_EQ(state_of(facts, "firewall"), CauseState::excluded);
  EXPECT_EQ(outcome(facts), Outcome::well);
  const std::vector<BlindSpot> blind{{AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_ACK, {}, "why", {}}};
  facts.blind = blind;
  EXPECT_EQ(state_of(facts, "firewall"), CauseState::unseen) << "its ACK may have been dropped";
  EXPECT_EQ(outcome(facts), Outcome::unknown);
  facts.seen.clear();
  EXPECT_EQ(state_of(facts, "firewall"), CauseState::excluded) << "each handshake came to its end";
}

TEST(Causes, WhatNoProgramSeesOnTheWayInIsNotRuledOutByWhoCameThrough) {
  auto facts = healthy();
  EXPECT_EQ(state_of(facts, "before_tcp"), CauseState::excluded);
  EXPECT_EQ(state_of(facts, "way_in"), CauseState::excluded);
  const std::vector<BlindSpot> blind{
      {AW_LISTEN_DROP, AW_XDP, AW_STAGE_SYN, {}, "why", {}},
      {AW_LISTEN_DROP, AW_REVERSE_PATH, AW_STAGE_NONE, {}, "why", {}}};
  facts.blind = blind;
  EXPECT_EQ(state_of(facts, "before_tcp"), CauseState::unseen);
  EXPECT_EQ(state_of(facts, "way_in"), CauseState::unseen);
}

TEST(Causes, AQueueThatWasFullIsNotSaidToHaveHeldAtMostThatMany) {
  auto facts = healthy();
  facts.accept_queue = Queue{2, 1};
  facts.accept_peak = 2;
  for (const auto& one : judge_causes(facts)) {
    if (one.cause == "accept_queue") {
      EXPECT_EQ(one.what.find("at most"), std::string::npos) << one.what;
    }
  }
}

TEST(Causes, OneThatHoldsIsNoHealth) {
  auto facts = healthy();
  facts.seen[{AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_QUEUED}] = 1;
  EXPECT_EQ(outcome(facts), Outcome::found);
  facts.seen = {{{AW_ACCEPT_STALLED, AW_REASON_NONE, AW_STAGE_NONE}, 1}};
  EXPECT_EQ(outcome(facts), Outcome::found);
}

TEST(Causes, ThatNoListenerWasClosedHasToBeSeen) {
  auto facts = healthy();
  std::vector blind{blind_to(AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_ACK)};
  facts.blind = blind;
  EXPECT_EQ(state_of(facts, "closed_listener"), CauseState::excluded);
  blind.push_back(blind_to(AW_LISTENER_CLOSED));
  facts.blind = blind;
  EXPECT_EQ(state_of(facts, "closed_listener"), CauseState::unseen);
}

TEST(Causes, LossesAreAllSeenWhereNoProgramIsMissedOrItsCounterAgrees) {
  auto facts = healthy();
  EXPECT_TRUE(all_losses_are_seen(facts));
  const std::array blind{blind_to(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_SYN)};
  facts.blind = blind;
  EXPECT_TRUE(all_losses_are_seen(facts)) << "its counter has not moved";
  facts.seen[{AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_ACK}] = 1;
  facts.unexplained[static_cast<size_t>(KernelCounter::listen_overflows)] = 3;
  EXPECT_FALSE(all_losses_are_seen(facts)) << "what was seen is not all";
  facts.unexplained[static_cast<size_t>(KernelCounter::listen_overflows)].reset();
  EXPECT_FALSE(all_losses_are_seen(facts)) << "it was not compared";
}

TEST(Causes, EachFindingBelongsToOne) {
  for (const auto name : finding_names())
    EXPECT_FALSE(cause_of_finding(name).empty()) << name;
  EXPECT_TRUE(cause_of_finding("bad_luck").empty());
}

TEST(Evidence, EachMeaningIsOfItsCounterAndOfACauseThatIsKnown) {
  std::set<std::string_view> known;
  for (const auto& one : judge_causes(healthy()))
    known.insert(one.cause);
  known.insert("time_wait_overflow"); // harmless: it is shown, and is no cause
  known.insert("");                   // what another one is compared with
  for (size_t i = 0; i < nr_evidence_counters; ++i) {
    const auto counter = static_cast<EvidenceCounter>(i);
    EXPECT_EQ(meaning_of(counter).counter, counter) << i;
    EXPECT_TRUE(known.contains(meaning_of(counter).cause)) << meaning_of(counter).cause;
  }
}

TEST(Evidence, IsInTheDocumentWordForWord) {
  const auto text = read_file(TEST_DATA "/../../../docs/counters.md").value_or("");
  for (size_t i = 0; i < nr_evidence_counters; ++i) {
    const auto counter = static_cast<EvidenceCounter>(i);
    const auto& meaning = meaning_of(counter);
    if (meaning.what.empty())
      continue;
    const auto row =
        fmt::format("| `{}` | {} | {} |", name_of(counter).name, meaning.what, meaning.advice);
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

/// Facts as they may come, likely and unlikely ones.
class RandomFacts {
public:
  CauseFacts draw() {
    blind_.clear();
    CauseFacts facts;
    for (int i = number(4); i > 0; --i)
      facts.seen[{action(), reason(), stage()}] += static_cast<uint64_t>(1 + number(300));
    for (int i = number(6); i > 0; --i)
      blind_.push_back(blind_to(action(), number(3) ? reason() : AW_REASON_NONE,
                                number(2) ? stage() : AW_STAGE_NONE));
    facts.blind = blind_;
    if (number(3))
      facts.arrived = static_cast<uint64_t>(number(4) ? number(1000) : 0);
    for (auto& one : facts.unexplained)
      one = number(4) ? std::optional{static_cast<uint64_t>(number(5) ? 0 : number(99))}
                      : std::nullopt;
    for (auto& one : facts.evidence)
      one = number(4) ? std::optional{static_cast<uint64_t>(number(9) ? 0 : number(99))}
                      : std::nullopt;
    facts.lost_records = static_cast<uint64_t>(number(5) ? 0 : number(9));
    const auto names = finding_names();
    for (int i = number(8) ? 0 : 1; i > 0; --i)
      facts.findings.push_back(names[static_cast<size_t>(number(static_cast<int>(names.size())))]);
    facts.after_accept =
        number(2) || std::ranges::count(facts.findings, std::string_view{"closed_after_accept"});
    return facts;
  }

private:
  int number(int below) { return std::uniform_int_distribution{0, below - 1}(engine_); }
  aw_action action() { return static_cast<aw_action>(1 + number(AW_FINDING - 1)); }
  aw_reason reason() { return static_cast<aw_reason>(number(AW_NR_REASONS)); }
  aw_stage stage() { return static_cast<aw_stage>(number(AW_NR_STAGES)); }

  std::mt19937 engine_{20261127};
  std::vector<BlindSpot> blind_;
};

bool covers(const BlindSpot& spot, aw_action action, aw_reason reason) {
  return spot.action == action && (spot.reason == AW_REASON_NONE || spot.reason == reason) &&
         spot.stage == AW_STAGE_NONE;
}

/// No output both asserts a cause and rules it out, nothing is ruled out that could not be seen,
/// and all is called well only where every loss would have been seen and every counter is
/// explained.
TEST(Causes, HoldTogetherForAnyFacts) {
  // A tenth by default: a million takes minutes under the sanitizers.
  const char* wanted = std::getenv("ACCEPTWATCH_CASES");
  const int cases = wanted ? std::atoi(wanted) : 100'000;
  RandomFacts random;
  for (int i = 0; i < cases; ++i) {
    const CauseFacts facts = random.draw();
    const auto judgements = judge_causes(facts);
    const auto state = [&](std::string_view cause) {
      return std::ranges::find(judgements, cause, &CauseJudgement::cause)->state;
    };
    for (const auto finding : facts.findings)
      ASSERT_EQ(state(cause_of_finding(finding)), CauseState::holds) << finding << i;
    for (size_t counter = 0; counter < nr_evidence_counters; ++counter) {
      const auto cause = meaning_of(static_cast<EvidenceCounter>(counter)).cause;
      const bool known = std::ranges::count(judgements, cause, &CauseJudgement::cause) != 0;
      if (known && facts.evidence[counter].value_or(0)) {
        ASSERT_NE(state(cause), CauseState::excluded) << cause << i;
      }
    }
    if (facts.unexplained[static_cast<size_t>(KernelCounter::listen_drops)].value_or(0)) {
      ASSERT_NE(state("request_refused"), CauseState::excluded) << i;
    }
    for (const BlindSpot& spot : facts.blind) {
      if (covers(spot, AW_RESET_SENT, AW_NO_LISTENER)) {
        ASSERT_NE(state("closed_port"), CauseState::excluded) << i;
      }
      if (covers(spot, AW_LISTEN_DROP, AW_FIREWALL)) {
        ASSERT_NE(state("firewall"), CauseState::excluded) << i;
      }
    }
    if (outcome_of(facts, judgements) == Outcome::well) {
      ASSERT_TRUE(facts.findings.empty() && facts.arrived.value_or(0)) << i;
      ASSERT_TRUE(all_losses_are_seen(facts)) << i;
      for (const auto& judgement : judgements) {
        ASSERT_NE(judgement.state, CauseState::unseen) << judgement.cause << i;
        ASSERT_TRUE(judgement.state != CauseState::holds || judgement.cause == "lost_on_the_way")
            << judgement.cause << i;
      }
    }
  }
}

TEST(Evidence, IsWhatNoRecordAccountsFor) {
  EvidenceValues growth{};
  growth[static_cast<size_t>(EvidenceCounter::paws_time_wait)] = 4;
  growth[static_cast<size_t>(EvidenceCounter::unsent_retransmits)] = 2;
  SeenEvents seen;
  EXPECT_EQ(evidence_seen(growth, seen).size(), 2U);
  seen[{AW_LISTEN_DROP, AW_OLD_CONNECTION, AW_STAGE_SYN}] = 3;
  seen[{AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYN}] = 9;
  EXPECT_EQ(evidence_seen(growth, seen).size(), 2U);
  seen[{AW_LISTEN_DROP, AW_OLD_CONNECTION, AW_STAGE_SYN}] = 4;
  ASSERT_EQ(evidence_seen(growth, seen).size(), 1U);
  seen[{AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYNACK}] = 2;
  EXPECT_EQ(evidence_seen(growth, seen).size(), 0U);
}

TEST(Causes, OfWhatThisHostRefusesHoldWhenItWasSeen) {
  for (const auto& [reason, stage, cause] :
       {std::tuple{AW_REVERSE_PATH, AW_STAGE_SYN, "way_in"},
        std::tuple{AW_TRAFFIC_CONTROL, AW_STAGE_SYNACK, "before_tcp"},
        std::tuple{AW_CGROUP_PROGRAM, AW_STAGE_SYN, "socket_filter"},
        std::tuple{AW_NETFILTER_QUEUE, AW_STAGE_SYN, "firewall"},
        std::tuple{AW_OLD_CONNECTION, AW_STAGE_SYN, "old_connection"},
        std::tuple{AW_TIMESTAMPS, AW_STAGE_ACK, "timestamps"},
        std::tuple{AW_CPU_BACKLOG, AW_STAGE_SYN, "host_limits"},
        std::tuple{AW_NEIGHBOUR, AW_STAGE_SYNACK, "neighbour"}}) {
    CauseFacts facts;
    facts.seen[{AW_LISTEN_DROP, reason, stage}] = 1;
    const auto judgements = judge_causes(facts);
    const auto found =
        std::ranges::find(judgements, std::string_view{cause}, &CauseJudgement::cause);
    ASSERT_NE(found, judgements.end()) << cause;
    EXPECT_EQ(found->state, CauseState::holds) << cause;
  }
}

TEST(Causes, OfConnectionsThatAreClosedAtOnceAreJudgedWhereTheyAreWatched) {
  auto facts = healthy();
  for (const auto& one : judge_causes(facts))
    EXPECT_NE(one.cause, "after_accept");
  facts.after_accept = true;
  EXPECT_EQ(state_of(facts, "after_accept"), CauseState::excluded);
  facts.seen[{AW_CLOSED_AFTER_ACCEPT, AW_TURNED_AWAY, AW_STAGE_NONE}] = 3; // as daytime does
  EXPECT_EQ(state_of(facts, "after_accept"), CauseState::excluded);
  EXPECT_EQ(outcome(facts), Outcome::well);
  facts.seen[{AW_CLOSED_AFTER_ACCEPT, AW_UNSERVED, AW_STAGE_NONE}] = 1;
  EXPECT_EQ(state_of(facts, "after_accept"), CauseState::holds);
  EXPECT_EQ(outcome(facts), Outcome::found);
}

TEST(Causes, OfConnectionsThatWaitLongBeforeTheyAreClosedAreNotRuledOutWithoutAccept) {
  auto facts = healthy();
  facts.after_accept = true;
  auto spot = blind_to(AW_CLOSED_AFTER_ACCEPT);
  facts.blind = {&spot, 1};
  EXPECT_EQ(state_of(facts, "after_accept"), CauseState::unseen);
  spot.field = "acceptwatch.early_close.seconds";
  EXPECT_EQ(state_of(facts, "after_accept"), CauseState::unseen);
  spot.field = "process.name";
  EXPECT_EQ(state_of(facts, "after_accept"), CauseState::excluded);
  spot.field.clear();
  EXPECT_TRUE(all_losses_are_seen(facts)) << "a listener loses nothing by it";
}

} // namespace
} // namespace acceptwatch
