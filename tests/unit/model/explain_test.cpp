// SPDX-License-Identifier: Apache-2.0
#include "model/explain.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using enum KernelCounter;

constexpr uint32_t netns = 4026531840;

Counter a_counter(aw_action action, aw_reason reason, uint64_t count, aw_stage stage = AW_STAGE_SYN,
                  uint32_t in = netns) {
  Counter counter;
  counter.key.netns = in;
  counter.key.action = static_cast<__u8>(action);
  counter.key.reason = static_cast<__u8>(reason);
  counter.key.stage = static_cast<__u8>(stage);
  counter.count = count;
  return counter;
}

using Explained = std::map<KernelCounter, uint64_t>;

Explained explained(const std::vector<Counter>& counters) {
  Explained named;
  for (const auto& [in, values] : explain(counters)) {
    EXPECT_EQ(in, netns);
    for (size_t i = 0; i < nr_kernel_counters; ++i) {
      if (values[i])
        named[static_cast<KernelCounter>(i)] = values[i];
    }
  }
  return named;
}

TEST(Explain, AFullAcceptQueueCountsTwiceAtEveryStage) {
  EXPECT_EQ(explained({a_counter(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 1, AW_STAGE_SYN),
                       a_counter(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 2, AW_STAGE_ACK),
                       a_counter(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 4, AW_STAGE_COOKIE)}),
            (Explained{{listen_overflows, 7}, {listen_drops, 7}, {syncookies_recv, 4}}));
}

TEST(Explain, AFullSynQueueHasACounterOfItsOwn) {
  EXPECT_EQ(explained({a_counter(AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, 3)}),
            (Explained{{listen_drops, 3}, {req_queue_full_drop, 3}}));
}

TEST(Explain, OtherDropsOfTheListenPathAreListenDrops) {
  for (const aw_reason reason :
       {AW_SYN_BACKLOG_RESERVED, AW_REQUEST_FAILED, AW_NO_ROUTE, AW_MEMORY, AW_SECURITY_MODULE})
    EXPECT_EQ(explained({a_counter(AW_LISTEN_DROP, reason, 1)}), (Explained{{listen_drops, 1}}));
}

TEST(Explain, DropsBesideTheListenPathAreNone) {
  for (const aw_reason reason : {AW_FIREWALL, AW_SOCKET_FILTER, AW_AUTHENTICATION, AW_OTHER})
    EXPECT_EQ(explained({a_counter(AW_LISTEN_DROP, reason, 1)}), Explained{});
  EXPECT_EQ(explained({a_counter(AW_LISTEN_DROP, AW_COOKIE_INVALID, 2, AW_STAGE_COOKIE)}),
            (Explained{{syncookies_failed, 2}}));
}

TEST(Explain, ACookieIsDecidedOnAndSent) {
  for (const aw_reason reason : {AW_SYN_QUEUE_FULL, AW_ALWAYS})
    EXPECT_EQ(explained({a_counter(AW_SYNCOOKIE_SENT, reason, 5)}),
              (Explained{{req_queue_full_do_cookies, 5}, {syncookies_sent, 5}}));
}

TEST(Explain, RepeatedSynAcksAreSynRetransmits) {
  EXPECT_EQ(explained({a_counter(AW_SYNACK_RETRANSMIT, AW_NO_ACK, 1),
                       a_counter(AW_SYNACK_RETRANSMIT, AW_DEFERRED, 2)}),
            (Explained{{syn_retrans, 3}}));
}

TEST(Explain, ResetsCountByWhatTheyEnd) {
  EXPECT_EQ(explained({a_counter(AW_RESET_SENT, AW_ABORT_ON_OVERFLOW, 1)}),
            (Explained{{embryonic_rsts, 1}, {out_rsts, 1}}));
  EXPECT_EQ(explained({a_counter(AW_RESET_SENT, AW_CLOSED_LISTENER, 2)}),
            (Explained{{out_rsts, 2}}));
  EXPECT_EQ(explained({a_counter(AW_RESET_RECEIVED, AW_IN_HANDSHAKE, 3)}),
            (Explained{{embryonic_rsts, 3}}));
  EXPECT_EQ(explained({a_counter(AW_RESET_RECEIVED, AW_WHEN_QUEUED, 4)}), Explained{});
}

TEST(Explain, WhatAnEventCountsBesidesIsInItsKey) {
  const auto with = [](Counter counter, __u8 extra_mib) {
    counter.key.extra_mib = extra_mib;
    return std::vector{counter};
  };
  EXPECT_EQ(
      explained(with(a_counter(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, 2), AW_MIB_REQQFULLDOCOOKIES)),
      (Explained{{listen_overflows, 2}, {listen_drops, 2}, {req_queue_full_do_cookies, 2}}));
  EXPECT_EQ(
      explained(with(a_counter(AW_RESET_SENT, AW_HANDSHAKE_INVALID, 3), AW_MIB_EMBRYONICRSTS)),
      (Explained{{embryonic_rsts, 3}, {out_rsts, 3}}));
  EXPECT_EQ(
      explained(with(a_counter(AW_RESET_SENT, AW_CLOSED_LISTENER, 4), AW_MIB_MIGRATEREQFAILURE)),
      (Explained{{migrate_req_failure, 4}, {out_rsts, 4}}));
}

TEST(Explain, ACookieThatIsWrongWasNotReceived) {
  EXPECT_EQ(explained({a_counter(AW_LISTEN_DROP, AW_COOKIE_INVALID, 2, AW_STAGE_COOKIE)}),
            (Explained{{syncookies_failed, 2}}));
}

TEST(Explain, AFirewallsResetIsNotCountedByTcp) {
  EXPECT_EQ(explained({a_counter(AW_RESET_SENT, AW_FIREWALL, 1)}), Explained{});
}

TEST(Explain, ListenersThatComeAndGoCountNothing) {
  EXPECT_EQ(explained({a_counter(AW_LISTENER_OPENED, AW_REASON_NONE, 1),
                       a_counter(AW_LISTENER_CLOSED, AW_REASON_NONE, 1)}),
            Explained{});
}

TEST(Explain, NamespacesAreToldApart) {
  const auto sums =
      explain(std::vector{a_counter(AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, 1, AW_STAGE_SYN, 1),
                          a_counter(AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, 2, AW_STAGE_SYN, 2)});
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums.at(1)[static_cast<size_t>(listen_drops)], 1U);
  EXPECT_EQ(sums.at(2)[static_cast<size_t>(listen_drops)], 2U);
}

TEST(Explain, WhatHasNoNamespaceExplainsNothing) {
  EXPECT_TRUE(
      explain(std::vector{a_counter(AW_SYNCOOKIE_SENT, AW_REASON_NONE, 9, AW_STAGE_NONE, 0)})
          .empty());
}

TEST(WhyMore, IsEmptyWhereNothingIsKnown) {
  EXPECT_EQ(why_more(listen_overflows, {}), "");
  EXPECT_EQ(why_more(listen_drops, {}), "");
}

TEST(WhyMore, NamesWhatTheKernelCountsBeside) {
  EXPECT_EQ(why_more(out_rsts, {}), "resets of other connections are counted, too");
  EXPECT_EQ(why_more(syn_retrans, {}), "SYNs that this host sent again are counted, too");
  EXPECT_EQ(why_more(req_queue_full_do_cookies, {}), "");
  for (const auto counter : {defer_accept_drop, fast_open_listen_overflow, migrate_req_success})
    EXPECT_TRUE(why_more(counter, {}).starts_with("no loss: ")) << name_of(counter).name;
}

TEST(WhyMore, NamesBlindSpotsOfThisCounterOnly) {
  const std::vector<BlindSpot> blind{
      {AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_NONE, {}, {}, {}},
      {AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_NONE, {}, {}, {}},
      {AW_LISTEN_DROP, AW_MEMORY, AW_STAGE_NONE, {}, {}, {}},
      {AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_NONE, "client.port", {}, {}},
      {AW_RESET_RECEIVED, AW_REASON_NONE, AW_STAGE_NONE, {}, {}, {}}};
  EXPECT_EQ(why_more(listen_drops, {.blind = blind}),
            "not seen: listen_drop/request_failed, memory");
  EXPECT_EQ(why_more(embryonic_rsts, {.blind = blind}), "not seen: reset_received");
  EXPECT_EQ(why_more(listen_overflows, {.blind = blind}), "");
}

TEST(WhyMore, NamesABlindStageOnlyWhereItCounts) {
  const BlindSpot at_syn{AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_SYN, {}, {}, {}};
  const BlindSpot at_cookie{AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_COOKIE, {}, {}, {}};
  const auto why = [](const BlindSpot& spot) {
    return why_more(syncookies_recv, {.blind = std::span{&spot, 1}});
  };
  EXPECT_EQ(why(at_syn), why_more(syncookies_recv, {}));
  EXPECT_NE(why(at_cookie), why_more(syncookies_recv, {}));
}

TEST(WhyMore, NamesWhatWasLost) {
  EXPECT_EQ(why_more(listen_overflows, {.blind = {}, .uncounted = 3, .skipped = 2}),
            "3 occurrences found no room in the counter map; the kernel skipped a program 2 times");
}

} // namespace
} // namespace acceptwatch
