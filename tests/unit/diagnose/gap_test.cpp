// SPDX-License-Identifier: Apache-2.0
// Nobody listens any more: how the listener ended decides what is found.
#include "diagnose/rules.h"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr uint64_t second = 1'000'000'000;
constexpr uint64_t now = 1000 * second;

using Names = std::vector<std::string_view>;

Names names(const Facts& facts) {
  Names names;
  for (const Finding& finding : judge(facts, {}))
    names.push_back(finding.name);
  return names;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr int status(int code) { return code << 8; }
constexpr int core = 0x80;

/// Refused just now, after a listener that ended so long before.
Facts refused(double seconds_ago, std::optional<ListenerEnd> end) {
  Facts facts;
  facts.now_ns = now;
  facts.refused = {5, now, now};
  facts.former = FormerListener{{4711, "nginx", {}}, seconds_ago, std::move(end)};
  return facts;
}

ListenerEnd ended(aw_reason reason, int code = 0, uint32_t pid = 4711) {
  ListenerEnd end{reason, {}, pid, "nginx"};
  if (reason == AW_EXITED || reason == AW_KILLED)
    end.exit_code = static_cast<uint32_t>(code);
  return end;
}

TEST(Gaps, ARestartIsToldWhenAnotherListens) {
  for (const auto& end : {std::optional<ListenerEnd>{}, std::optional{ended(AW_EXITED)},
                          std::optional{ended(AW_KILLED, SIGTERM)},
                          std::optional{ended(AW_EXITED, status(128 + SIGTERM))}}) {
    Facts facts = refused(0.2, end);
    EXPECT_EQ(names(facts), Names{}) << "another may be about to listen";
    facts.gap_seconds = 0.7;
    facts.reopened_by = 4712;
    ASSERT_EQ(names(facts), Names{"restart_gap"});
    EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "Reload"));
  }
}

TEST(Gaps, AStopIsNone) {
  const Facts facts = refused(2, ended(AW_KILLED, SIGTERM));
  ASSERT_EQ(names(facts), Names{"service_stopped"});
  const auto finding = judge(facts, {}).at(0);
  EXPECT_TRUE(has(finding.what, "nginx/4711 was ended by SIGTERM 2.000 s before the first"));
  EXPECT_TRUE(has(finding.what, "nobody listens again"));
  EXPECT_FALSE(has(finding.advice, "Reload"));
}

TEST(Gaps, AfterAMinuteItIsAClosedPort) {
  EXPECT_EQ(names(refused(61, ended(AW_EXITED))), Names{"closed_port"});
}

TEST(Gaps, AProcessThatDiedIsNoRestart) {
  Facts facts = refused(0.2, ended(AW_KILLED, SIGSEGV | core));
  facts.gap_seconds = 0.7;
  facts.reopened_by = 4712;
  ASSERT_EQ(names(facts), Names{"owner_died"});
  auto finding = judge(facts, {}).at(0);
  EXPECT_TRUE(has(finding.what, "was ended by SIGSEGV 0.200 s before the first (core dumped)"));
  EXPECT_TRUE(has(finding.advice, "coredumpctl info 4711"));
  facts.former->end = ended(AW_KILLED, SIGKILL);
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "want of memory"));
  facts.former->end = ended(AW_KILLED, SIGUSR1);
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "SIGUSR1"));
  facts.former->end = ended(AW_EXITED, status(3));
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "exits with status 3"));
}

TEST(Gaps, ThreeDeathsAreALoop) {
  Facts facts = refused(0.2, ended(AW_KILLED, SIGSEGV));
  facts.died = {3, now - 5 * second, now};
  facts.deaths = {ended(AW_KILLED, SIGSEGV), ended(AW_KILLED, SIGSEGV)};
  EXPECT_EQ(names(facts), Names{"owner_died"});
  facts.deaths.push_back(ended(AW_KILLED, SIGSEGV, 4713));
  ASSERT_EQ(names(facts), Names{"crash_loop"});
  const auto finding = judge(facts, {}).at(0);
  EXPECT_TRUE(has(finding.what, "died 3 times in 5.0 s: 3 times SIGSEGV"));
  EXPECT_TRUE(has(finding.what, "5 connections refused in between"));
  EXPECT_TRUE(has(finding.advice, "coredumpctl info 4713"));
  facts.refused = {};
  EXPECT_EQ(names(facts), Names{"crash_loop"}) << "nobody has to be refused";
}

TEST(Gaps, ShutdownBySiblingNamesBoth) {
  Facts facts = refused(0.2, ListenerEnd{AW_SHUT_DOWN, {}, 4712, "worker"});
  ASSERT_EQ(names(facts), Names{"listener_shut_down"});
  const auto finding = judge(facts, {}).at(0);
  EXPECT_TRUE(has(finding.what, "worker/4712 called shutdown() on the listening socket of "
                                "nginx/4711"));
  facts.former->end->pid = 4711;
  EXPECT_FALSE(has(judge(facts, {}).at(0).what, "socket of"));
}

/// A process that closed its listener and runs on, so long ago.
Facts closed_alive(double seconds_ago) {
  Facts facts = refused(seconds_ago, ListenerEnd{AW_CLOSED, {}, 4711, "xinetd"});
  facts.former_lives = true;
  return facts;
}

TEST(Gaps, AProcessThatClosesItsOwnListenerIsNoRestart) {
  Facts facts = closed_alive(0.5);
  EXPECT_EQ(names(facts), Names{}) << "it may be about to end";
  facts.former->closed_seconds_ago = 2;
  ASSERT_EQ(names(facts), Names{"closed_by_owner"});
  EXPECT_FALSE(has(judge(facts, {}).at(0).advice, "cps"));
  facts.reopened_by = 4711;
  facts.gap_seconds = 4;
  ASSERT_EQ(names(facts), Names{"reopened_by_owner"});
  const auto finding = judge(facts, {}).at(0);
  EXPECT_TRUE(has(finding.what, "opened it again after 4.0 s"));
  EXPECT_TRUE(has(finding.advice, "cps"));
  EXPECT_FALSE(has(judge(facts, {}).at(0).advice, "TriggerLimitBurst")) << "it is known";
}

TEST(Gaps, WhoClosesAndThenFailsHasDied) {
  Facts facts = refused(0.2, ended(AW_CLOSED));
  facts.former->end->exit_code = status(3);
  ASSERT_EQ(names(facts), Names{"owner_died"});
  EXPECT_TRUE(has(judge(facts, {}).at(0).what, "nginx/4711 exited with status 3"));
  facts.former->end->exit_code = 0;
  facts.gap_seconds = 0.5;
  EXPECT_EQ(names(facts), Names{"restart_gap"});
}

TEST(Gaps, ItIsOneWhereAnotherListensAgain) {
  Facts facts = closed_alive(0.5);
  facts.reopened_by = 4712;
  facts.gap_seconds = 0.7;
  EXPECT_EQ(names(facts), Names{"restart_gap"});
}

TEST(Gaps, WhoClosedItAndHasEndedHasStopped) {
  Facts facts = closed_alive(2);
  facts.former_lives = false;
  EXPECT_EQ(names(facts), Names{"service_stopped"});
}

TEST(Gaps, ADeathTakesTheQueueWithIt) {
  Facts facts;
  facts.now_ns = now;
  facts.lost_at_close = {3, now, now};
  facts.end = ended(AW_EXITED);
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "load balancer"));
  facts.end = ended(AW_KILLED, SIGSEGV);
  ASSERT_EQ(names(facts), Names{"closed_with_queue"});
  EXPECT_TRUE(has(judge(facts, {}).at(0).what, "SIGSEGV"));
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "coredumpctl"));
}

} // namespace
} // namespace acceptwatch
