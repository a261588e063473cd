// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rules.h"

#include "support/facts.h"

#include "support/records.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

using namespace unit;

/// Full, and nobody has accepted since.
Facts stuck() {
  Facts facts = healthy();
  facts.accept_queue = Queue{11, 10};
  facts.accept_peak = 11;
  facts.overflow = seen(17, 2);
  facts.heads = 1;
  facts.waiting_seconds = facts.oldest_seconds = 2.5;
  facts.idle_seconds = 2;
  return facts;
}

/// Full for a moment, and empty soon after.
Facts burst() {
  Facts facts = healthy();
  facts.accept_peak = 11;
  facts.overflow = seen(5, 2);
  facts.heads = 4;
  facts.oldest_seconds = 0.02;
  facts.drained_ns = now - second;
  return facts;
}

/// Full of requests, in a namespace that sent a thousand cookies.
Facts flooded(uint64_t returned) {
  Facts facts = healthy();
  facts.syn_queue = Queue{11, 10};
  facts.cookies = seen(1000);
  facts.cookies_sent = 1000;
  facts.cookies_returned = returned;
  return facts;
}

std::set<std::string_view> names(const Facts& facts) {
  std::set<std::string_view> found;
  for (const auto& finding : judge(facts, {}))
    found.insert(finding.name);
  return found;
}

using Names = std::set<std::string_view>;

TEST(Rules, NothingIsWrongWithAHealthyListener) { EXPECT_EQ(names(healthy()), Names{}); }

TEST(Rules, NobodyAccepts) { EXPECT_EQ(names(stuck()), Names{"stuck_acceptor"}); }

TEST(Rules, NotYetLongEnough) {
  Facts facts = stuck();
  facts.idle_seconds = 0.9;
  EXPECT_EQ(names(facts), Names{});
}

TEST(Rules, AServerThatWasSeenToAcceptIsGivenLonger) {
  Facts facts = stuck();
  facts.heads = 3;
  EXPECT_EQ(names(facts), Names{"slow_acceptor"});
  facts.idle_seconds = 6;
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"});
}

TEST(Rules, ItCannotAcceptWithoutDescriptors) {
  Facts facts = stuck();
  facts.shortage = FileShortage{.of_host = false, .files = {20, 20}};
  EXPECT_EQ(names(facts), Names{"descriptors_exhausted"});
  facts.shortage = FileShortage{.of_host = true, .files = {9001, 9000}};
  EXPECT_EQ(names(facts), Names{"host_files_exhausted"});
  facts.shortage.reset();
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"});
}

TEST(Rules, ALackOfFilesIsNoFindingWhileNobodyWaits) {
  Facts facts = burst();
  facts.shortage = FileShortage{.of_host = false, .files = {20, 20}};
  EXPECT_EQ(names(facts), (Names{"burst_larger_than_backlog", "backlog_too_small"}));
}

TEST(Rules, AHostWithoutFilesIsSeenByWhatTheQueueHasNoRoomFor) {
  Facts facts = burst();
  facts.drained_ns = 0; // it could not be looked at
  facts.shortage = FileShortage{.of_host = true, .files = {9000, 9000}};
  EXPECT_EQ(names(facts), Names{"host_files_exhausted"});
}

TEST(Rules, ABurstIsSaidOnceTheQueueWasWorkedOff) {
  Facts facts = burst();
  EXPECT_EQ(names(facts), (Names{"burst_larger_than_backlog", "backlog_too_small"}));
  facts.drained_ns = now - 3 * second; // before the first drop
  EXPECT_EQ(names(facts), Names{});
}

TEST(Rules, WhoWaitsLongWaitsForASlowServer) {
  Facts facts = burst();
  facts.oldest_seconds = 0.6;
  EXPECT_EQ(names(facts), Names{"slow_acceptor"});
}

TEST(Rules, SomaxconnCapsWhatWasAskedFor) {
  Facts facts = burst();
  facts.somaxconn = 10;
  facts.backlog = 511;
  EXPECT_EQ(names(facts), (Names{"burst_larger_than_backlog", "limit_capped_by_somaxconn"}));
  facts.backlog = 10; // asked for just that
  EXPECT_EQ(names(facts), (Names{"burst_larger_than_backlog", "backlog_too_small"}));
}

TEST(Rules, WhereListenWasNotSeenItIsPossible) {
  Facts facts = burst();
  facts.somaxconn = 10;
  const auto findings = judge(facts, {});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[1].name, "limit_capped_by_somaxconn");
  EXPECT_EQ(findings[1].confidence, Confidence::possible);
}

TEST(Rules, ADefaultIsNamed) {
  Facts facts = burst();
  facts.accept_queue = Queue{0, 50};
  const auto findings = judge(facts, {});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_NE(findings[1].what.find("Java's ServerSocket"), std::string::npos) << findings[1].what;
}

TEST(Rules, AGroupHasOneMemberThatIsFull) {
  Facts facts = stuck();
  facts.members = 4;
  facts.idle_members = 3;
  EXPECT_EQ(names(facts), (Names{"stuck_acceptor", "reuseport_imbalance"}));
  facts.idle_members = 0; // all are
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"});
}

TEST(Rules, ClientsAreResetWhereTheSettingSaysSo) {
  Facts facts = stuck();
  facts.overflow = {};
  facts.aborted = seen(3);
  EXPECT_EQ(names(facts), (Names{"stuck_acceptor", "abort_on_overflow"}));
}

TEST(Rules, SendersWhoDoNotAnswerAreAFlood) {
  EXPECT_EQ(names(flooded(3)), Names{"syn_flood"});
  EXPECT_EQ(names(flooded(900)), Names{"cookies_hide_full_syn_queue"});
  Facts begins = flooded(900);
  begins.cookies.first_ns = now - second / 2;
  EXPECT_EQ(names(begins), Names{}) << "it may become one";
}

TEST(Rules, AFewAreNoFlood) {
  Facts facts = flooded(0);
  facts.cookies = seen(20);
  EXPECT_EQ(names(facts), Names{"cookies_hide_full_syn_queue"});
}

TEST(Rules, WithoutCookiesAFullSynQueueLoses) {
  Facts facts = healthy();
  facts.syncookies = 0;
  facts.syn_drops = seen(20);
  EXPECT_EQ(names(facts), Names{"syn_queue_full"});
  facts.syn_drops = seen(200);
  EXPECT_EQ(names(facts), Names{"syn_flood"});
}

TEST(Rules, SilentClientsLosePacketsOnTheWay) {
  Facts facts = healthy();
  facts.silent = seen(3);
  facts.silent_handshakes = 3;
  facts.clients = 2;
  EXPECT_EQ(names(facts), Names{"handshakes_lost"});
  facts.silent_handshakes = 2;
  EXPECT_EQ(names(facts), Names{}) << "one client is asked again and again";
}

TEST(Rules, AScannerAmongClientsThatComeThroughIsNoLoss) {
  Facts facts = healthy();
  facts.silent = seen(9);
  facts.silent_handshakes = 9;
  facts.arrived = 100;
  EXPECT_EQ(names(facts), Names{});
  facts.arrived = 20;
  EXPECT_EQ(names(facts), Names{"handshakes_lost"});
}

TEST(Rules, WhatFollowsAFloodBelongsToIt) {
  Facts facts = healthy();
  facts.silent = seen(300);
  facts.silent_handshakes = 300;
  facts.flooded_ns = now - 60 * second;
  EXPECT_EQ(names(facts), Names{});
  facts = burst();
  facts.flooded_ns = now - 60 * second;
  EXPECT_EQ(names(facts), Names{});
}

TEST(Rules, AClosedPortNamesWhoListensOnAnotherAddress) {
  Facts facts;
  facts.now_ns = now;
  facts.refused = seen(3);
  Facts::Elsewhere other;
  other.address.family = AF_INET;
  other.address.bytes = {127, 0, 0, 1};
  other.owner = Owner{7, "web", {}};
  facts.elsewhere = {other};
  const auto found = judge(facts, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].what.find("web/7 listens on that port at 127.0.0.1 only"), std::string::npos);
}

TEST(Rules, AClosedPortBehindATranslationNamesBoth) {
  Facts facts;
  facts.now_ns = now;
  facts.refused = seen(3);
  facts.refused_at = {unit::an_address("127.0.0.1")};
  facts.refused_behind = Translation{unit::an_address("10.9.0.1"), 80, {{}, 8080}};
  const auto found = judge(facts, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].what.find("10.9.0.1:80, which is translated to port 8080"), std::string::npos)
      << found[0].what;
}

Facts full_conntrack() {
  Facts facts = healthy();
  facts.dropped[AW_FIREWALL] = seen(3);
  Refused& refused = facts.refusals[AW_FIREWALL];
  refused.packets[AW_STAGE_SYN] = 3;
  refused.hook = AW_HOOK_PREROUTING;
  facts.conntrack = ConntrackTable{1024, 1024, 20};
  facts.conntrack_dropped = 3;
  return facts;
}

TEST(Rules, AFullTableOfConnectionsIsNoRuleToLookFor) {
  EXPECT_EQ(names(full_conntrack()), Names{"conntrack_full"});
}

TEST(Rules, AFullTableExplainsNoMorePacketsThanItDropped) {
  Facts facts = full_conntrack();
  facts.dropped[AW_FIREWALL] = seen(4);
  EXPECT_EQ(names(facts), (Names{"conntrack_full", "firewall"}));
}

TEST(Rules, APacketThatARuleDropsAtInputIsNotOfTheTable) {
  Facts facts = full_conntrack();
  facts.refusals[AW_FIREWALL].hook = AW_HOOK_INPUT;
  EXPECT_EQ(names(facts), Names{"firewall"});
  facts = full_conntrack();
  facts.conntrack_dropped = 0;
  EXPECT_EQ(names(facts), Names{"firewall"});
}

TEST(Rules, APublishedPortWithoutItsContainerNamesIt) {
  Facts facts;
  facts.now_ns = now;
  facts.dropped[AW_NEIGHBOUR] = seen(3);
  Refused& refused = facts.refusals[AW_NEIGHBOUR];
  refused.packets[AW_STAGE_SYN] = 3;
  refused.device = "br0";
  refused.is_passing = true;
  refused.translation =
      Translation{unit::an_address("fd00::1"), 80, {unit::an_address("fd00::5"), 8080}};
  const auto found = judge(facts, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].what.find("[fd00::1]:80, which is translated to [fd00::5]:8080"),
            std::string::npos)
      << found[0].what;
  EXPECT_NE(found[0].advice.find("Nobody answers there for fd00::5"), std::string::npos);
}

OwnerState doing(Activity activity) {
  OwnerState state;
  state.threads.processes = state.threads.total = state.threads.seen = 1;
  state.threads.doing[static_cast<size_t>(activity)] = 1;
  ToldThread told;
  told.pid = told.tid = 4711;
  told.activity = activity;
  state.threads.told = told;
  return state;
}

std::string advice_for(const OwnerState& state, Facts facts = stuck()) {
  facts.states.add(state);
  return judge(facts, {}).at(0).advice;
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST(Rules, WhatTheThreadDoesDecidesTheAdvice) {
  EXPECT_TRUE(has(advice_for(doing(Activity::stopped)), "kill -CONT 4711"));
  EXPECT_TRUE(has(advice_for(doing(Activity::child)), "ps --ppid 4711"));
  Facts fpm = stuck();
  fpm.owner = Owner{4711, "php-fpm8.2", {}};
  EXPECT_TRUE(has(advice_for(doing(Activity::sleep), fpm), "pm.max_children"));
  EXPECT_TRUE(has(advice_for(doing(Activity::running), fpm), "perf top -p 4711"));
  EXPECT_FALSE(has(advice_for(doing(Activity::disk), fpm), "pm.max_children"));
  EXPECT_TRUE(has(advice_for(doing(Activity::disk)), "iostat"));
  auto lock = doing(Activity::lock);
  lock.threads.told->lock_holder = 12;
  EXPECT_TRUE(has(advice_for(lock), "Process 12 has the file lock"));
  auto backend = doing(Activity::socket_read);
  backend.threads.told->peer = Peer{{AF_INET, {10, 0, 0, 7}}, 5432, false};
  EXPECT_TRUE(has(advice_for(backend), "10.0.0.7:5432 does not answer"));
  EXPECT_TRUE(has(advice_for(doing(Activity::accept)), "See why no thread calls accept()"));
}

TEST(Rules, AQuotaIsRaisedRatherThanWorkersAdded) {
  auto state = doing(Activity::running);
  state.cpu_quota =
      CpuQuota{.periods = 100, .throttled = 93, .recent_periods = 10, .recent_throttled = 9};
  EXPECT_TRUE(has(advice_for(state), "Raise the CPU quota"));
  state.cpu_quota->recent_throttled = 0;
  EXPECT_FALSE(has(advice_for(state), "quota"));
}

TEST(Rules, AProgramThatPausesIsToldItsLimit) {
  auto state = doing(Activity::poll);
  state.threads.listener = Awaited::no;
  state.open_connections = 10;
  Facts facts = stuck();
  facts.owner = Owner{4711, "haproxy", {}};
  const auto advice = advice_for(state, facts);
  EXPECT_TRUE(has(advice, "10 of this port are open"));
  EXPECT_TRUE(has(advice, "maxconn"));
  EXPECT_FALSE(has(advice_for(state), "maxconn,")) << "of another program";
  state.threads.listener = Awaited::yes;
  EXPECT_FALSE(has(advice_for(state, facts), "limit"));
}

TEST(Rules, AServerThatPausesIsStuckAtOnceThoughItAcceptedBefore) {
  Facts facts = stuck();
  facts.heads = 2;
  EXPECT_NE(names(facts), Names{"stuck_acceptor"});
  auto state = doing(Activity::poll);
  state.threads.listener = Awaited::no;
  facts.states.add(state);
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"});
}

TEST(StateLooks, TellTheMostTellingOfWhatWasSoOften) {
  StateLooks looks;
  EXPECT_FALSE(looks.telling());
  looks.add(doing(Activity::disk));
  looks.add(doing(Activity::disk));
  looks.add(doing(Activity::poll));
  looks.add(doing(Activity::poll));
  ASSERT_TRUE(looks.telling());
  EXPECT_EQ(looks.telling()->threads.told->activity, Activity::disk);
  EXPECT_EQ(looks.alike(), 2U);
  EXPECT_EQ(looks.looks(), 4U);
  EXPECT_EQ(looks.last()->threads.told->activity, Activity::poll);
  for (int i = 0; i < 3; ++i)
    looks.add(doing(Activity::poll));
  EXPECT_EQ(looks.telling()->threads.told->activity, Activity::poll) << "2 of 7 are few";
}

TEST(StateLooks, KeepWhatIsLookedUpLessOften) {
  StateLooks looks;
  auto state = doing(Activity::poll);
  state.open_connections = 10;
  looks.add(state);
  looks.add(doing(Activity::poll));
  EXPECT_EQ(looks.telling()->open_connections, 10U);
}

TEST(Rules, NotWhileAFullQueueExplainsThem) {
  Facts facts = stuck();
  facts.silent = seen(30);
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"});
}

TEST(Rules, AListenerThatOnlyAChildInherited) {
  Facts facts = stuck();
  facts.owner = Owner{12, "sleep", {}};
  facts.lost_opener = Owner{4711, "python3", {}};
  ASSERT_EQ(names(facts), Names{"inherited_listener"});
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "kill 12"));
  facts.owner->name = "python3";
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"}) << "a worker, perhaps";
  facts.owner->name = "sleep";
  auto state = doing(Activity::poll);
  state.threads.listener = Awaited::yes;
  facts.states.add(state);
  EXPECT_EQ(names(facts), Names{"stuck_acceptor"}) << "it waits for connections";
}

TEST(Rules, AnOlderProcessOfAGroupIsNamedBesideTheNewer) {
  Facts facts = stuck();
  facts.overflow = {};
  facts.accept_queue = Queue{8, 128};
  facts.members = 2;
  facts.idle_members = 1;
  facts.newer_owner = Owner{4800, "java", {}};
  facts.newer_by_seconds = 12;
  const auto found = judge(facts, {});
  const auto group = std::ranges::find(found, "reuseport_imbalance", &Finding::name);
  ASSERT_NE(group, found.end());
  EXPECT_TRUE(has(group->what, "accepts nothing (8 of 128 wait)"));
  EXPECT_TRUE(has(group->what, "java/4711, which was started 12.0 s before java/4800"));
  EXPECT_TRUE(has(group->advice, "kill 4711"));
  facts.newer_owner.reset();
  for (const Finding& finding : judge(facts, {}))
    EXPECT_FALSE(has(finding.advice, "left over"));
}

TEST(Rules, ALimitThatTheProgramChangedIsToldAsSuch) {
  Facts facts = stuck();
  facts.owner = Owner{4711, "memcached", {}};
  facts.shortage = FileShortage{false, {40, 40}};
  facts.limit_before = 16;
  facts.accept_queue = Queue{1, 0};
  const auto finding = judge(facts, {}).at(0);
  EXPECT_TRUE(has(finding.what, "1 connection waits; its backlog was 16 and is now 0"));
  EXPECT_TRUE(has(finding.advice, "LimitNOFILE= changes nothing: raise it by -c"));
  facts.owner->name = "java";
  EXPECT_TRUE(has(judge(facts, {}).at(0).advice, "Raise LimitNOFILE="));
}

TEST(Rules, OneStrayAtAClosedPortIsNothing) {
  Facts facts;
  facts.now_ns = now;
  facts.refused = seen(1);
  EXPECT_EQ(names(facts), Names{});
  Thresholds asked;
  asked.failed_handshakes = 1;
  EXPECT_EQ(judge(facts, asked).size(), 1U);
}

TEST(Rules, AListenerLeavesConnectionsAlone) {
  Facts facts = healthy();
  facts.listening = false;
  facts.lost_at_close = seen(11);
  EXPECT_EQ(names(facts), Names{"closed_with_queue"});
}

TEST(Rules, OtherReasonsNameThemselves) {
  for (const auto& [reason, name] :
       {std::pair{AW_FIREWALL, "firewall"}, std::pair{AW_SOCKET_FILTER, "socket_filter"},
        std::pair{AW_AUTHENTICATION, "authentication"},
        std::pair{AW_SECURITY_MODULE, "security_module"}, std::pair{AW_NO_ROUTE, "no_route"},
        std::pair{AW_MEMORY, "memory"}, std::pair{AW_COOKIE_INVALID, "cookie_invalid"}}) {
    Facts facts = healthy();
    facts.dropped[reason] = seen(1);
    EXPECT_EQ(names(facts), Names{name});
  }
}

TEST(Rules, AFirewallThatRejectsIsOneThatDrops) {
  Facts facts = healthy();
  facts.rejected = seen(4); // before 5.17 the drop has no reason
  EXPECT_EQ(names(facts), Names{"firewall"});
  facts.dropped[AW_FIREWALL] = seen(6);
  const auto findings = judge(facts, {});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].what,
            "netfilter on this host dropped 6 packets, and answered 4 with a RST");
  facts.rejected = seen(6);
  EXPECT_EQ(judge(facts, {})[0].what,
            "netfilter on this host dropped 6 packets, and answered each with a RST");
  EXPECT_NE(judge(facts, {})[0].advice.find("iptables-save"), std::string::npos);
  facts.chain = Chain{"filter", "input"};
  EXPECT_NE(judge(facts, {})[0].advice.find("chain input of table filter"), std::string::npos);
}

TEST(Rules, WhatWasNotSeenForLongIsOver) {
  Facts facts = healthy();
  facts.dropped[AW_FIREWALL] = seen(1, 11);
  EXPECT_EQ(names(facts), Names{});
}

TEST(Rules, EachFindingHasAllThatARecordNeeds) {
  for (const Facts& facts : {stuck(), burst(), flooded(3), flooded(900)}) {
    for (const auto& finding : judge(facts, {})) {
      EXPECT_FALSE(finding.what.empty()) << finding.name;
      EXPECT_FALSE(finding.evidence.empty()) << finding.name;
      EXPECT_TRUE(finding.advice.ends_with('.')) << finding.name;
      EXPECT_TRUE(std::ranges::count(finding_names(), finding.name)) << finding.name;
    }
  }
}

Facts turning_away(uint64_t closed, aw_reason reason, const std::string& name) {
  Facts facts = healthy();
  facts.owner = Owner{22, name, {}};
  facts.closed_early = seen(closed);
  facts.early.reasons[reason] = closed;
  facts.early.longest_seconds = 0.004;
  facts.early.since_accept = true;
  facts.early.closer = ListenerEnd{AW_CLOSED, {}, 23, name};
  facts.early.first_number = 5;
  facts.early.last_number = 14;
  return facts;
}

std::optional<Finding> after_accept(const Facts& facts) {
  for (const Finding& finding : judge(facts, Thresholds{})) {
    if (finding.name == "closed_after_accept")
      return finding;
  }
  return std::nullopt;
}

TEST(ClosedAfterAccept, SaysWhoClosedHowManyAndHowSoon) {
  const auto found = after_accept(turning_away(4, AW_UNREAD, "sshd"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what, "sshd/23 closed 4 of 10 connections within 4 ms of accept(): 4 reset with "
                         "data of the client unread");
  EXPECT_NE(found->advice.find("MaxStartups"), std::string::npos);
}

TEST(ClosedAfterAccept, IsNotSaidOfTwo) {
  EXPECT_FALSE(after_accept(turning_away(2, AW_UNREAD, "sshd")));
}

TEST(ClosedAfterAccept, IsOverWhenNoneWasClosedForAWhile) {
  Facts facts = turning_away(4, AW_UNREAD, "sshd");
  facts.closed_early = seen(4, 11);
  EXPECT_FALSE(after_accept(facts));
}

TEST(ClosedAfterAccept, NamesNoShareThatIsNotKnown) {
  Facts facts = turning_away(4, AW_UNSERVED, "shop");
  facts.early.first_number.reset();
  facts.early.since_accept = false;
  const auto found = after_accept(facts);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what,
            "shop/23 closed 4 connections within 4 ms of the handshake: 4 closed without a word");
}

TEST(ClosedAfterAccept, ByACrashAdvisesAsOfACrash) {
  Facts facts = turning_away(3, AW_PROCESS_FAILED, "shop");
  facts.early.closer->reason = AW_KILLED;
  facts.early.closer->exit_code = 11;
  const auto found = after_accept(facts);
  ASSERT_TRUE(found);
  EXPECT_NE(found->what.find("SIGSEGV"), std::string::npos) << found->what;
  EXPECT_NE(found->advice.find("coredumpctl"), std::string::npos) << found->advice;
}

} // namespace
} // namespace acceptwatch
