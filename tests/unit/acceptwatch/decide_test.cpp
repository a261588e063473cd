// SPDX-License-Identifier: Apache-2.0
#include "acceptwatch/record_cpp.h"

#include <gtest/gtest.h>
#include <limits>

namespace acceptwatch {
namespace {

/// Nothing is full: the kernel would make a request.
aw_syn_facts idle() { return {0, 10, 0, 128, 0, 0}; }

TEST(AcceptQueue, HoldsOneMoreThanItsLimit) {
  EXPECT_FALSE(aw_accept_queue_full(9, 10));
  EXPECT_FALSE(aw_accept_queue_full(10, 10));
  EXPECT_TRUE(aw_accept_queue_full(11, 10));
}

TEST(AcceptQueue, OfLimitZeroHoldsOne) {
  EXPECT_FALSE(aw_accept_queue_full(0, 0));
  EXPECT_TRUE(aw_accept_queue_full(1, 0));
}

TEST(AcceptQueue, IsComparedUnsigned) {
  EXPECT_FALSE(aw_accept_queue_full(1, std::numeric_limits<__u32>::max()));
  EXPECT_TRUE(aw_accept_queue_full(0x80000000U, 10));
}

TEST(SynQueue, IsFullAtItsLimitIn510) {
  auto facts = idle();
  facts.syn_full_at_limit = 1;
  facts.syn_depth = 9;
  EXPECT_FALSE(aw_syn_queue_full(&facts));
  facts.syn_depth = 10;
  EXPECT_TRUE(aw_syn_queue_full(&facts));
}

TEST(SynQueue, IsFullAboveItsLimitInLaterKernels) {
  auto facts = idle();
  facts.syn_depth = 10;
  EXPECT_FALSE(aw_syn_queue_full(&facts));
  facts.syn_depth = 11;
  EXPECT_TRUE(aw_syn_queue_full(&facts));
}

TEST(SynQueue, OfLimitZeroIsAlwaysFullIn510Only) {
  auto facts = idle();
  facts.accept_limit = 0;
  EXPECT_FALSE(aw_syn_queue_full(&facts));
  facts.syn_full_at_limit = 1;
  EXPECT_TRUE(aw_syn_queue_full(&facts));
}

TEST(ReservedQuarter, BeginsWhereLessThanAQuarterIsLeft) {
  auto facts = idle();
  facts.syn_depth = 96; // 32 left of 128
  EXPECT_FALSE(aw_syn_backlog_reserved(&facts));
  facts.syn_depth = 97;
  EXPECT_TRUE(aw_syn_backlog_reserved(&facts));
}

TEST(ReservedQuarter, IsSignedSoThatADepthAboveTheMaximumIsReserved) {
  auto facts = idle();
  facts.syn_depth = 129;
  EXPECT_TRUE(aw_syn_backlog_reserved(&facts));
  facts.syn_depth = std::numeric_limits<__u32>::max();
  EXPECT_TRUE(aw_syn_backlog_reserved(&facts));
}

TEST(ReservedQuarter, IsEmptyForABacklogBelowFour) {
  auto facts = idle();
  facts.max_syn_backlog = 3;
  facts.syn_depth = 3;
  EXPECT_FALSE(aw_syn_backlog_reserved(&facts));
  facts.syn_depth = 4;
  EXPECT_TRUE(aw_syn_backlog_reserved(&facts));
}

TEST(ReservedQuarter, DoesNotApplyWithCookies) {
  auto facts = idle();
  facts.syn_depth = 128;
  for (const __u8 cookies : {__u8{1}, __u8{2}}) {
    facts.syncookies = cookies;
    EXPECT_FALSE(aw_syn_backlog_reserved(&facts)) << int{cookies};
  }
}

TEST(SynDropReason, NoQueueFullMeansThatTheRequestFailed) {
  const auto facts = idle();
  EXPECT_EQ(aw_syn_drop_reason(&facts), AW_REQUEST_FAILED);
}

TEST(SynDropReason, SynQueueComesBeforeAcceptQueueAndQuarter) {
  const aw_syn_facts facts{11, 10, 127, 128, 0, 0};
  EXPECT_EQ(aw_syn_drop_reason(&facts), AW_SYN_QUEUE_FULL);
}

TEST(SynDropReason, AcceptQueueComesBeforeQuarter) {
  const aw_syn_facts facts{1001, 1000, 120, 128, 0, 0};
  EXPECT_EQ(aw_syn_drop_reason(&facts), AW_ACCEPT_QUEUE_FULL);
}

TEST(SynDropReason, QuarterIsLast) {
  const aw_syn_facts facts{0, 1000, 120, 128, 0, 0};
  EXPECT_EQ(aw_syn_drop_reason(&facts), AW_SYN_BACKLOG_RESERVED);
}

TEST(SynDropReason, WithCookiesAFullSynQueueDropsNothing) {
  for (const __u8 cookies : {__u8{1}, __u8{2}}) {
    aw_syn_facts facts{0, 10, 11, 128, cookies, 0};
    EXPECT_EQ(aw_syn_drop_reason(&facts), AW_REQUEST_FAILED);
    facts.accept_depth = 11;
    EXPECT_EQ(aw_syn_drop_reason(&facts), AW_ACCEPT_QUEUE_FULL);
  }
}

TEST(CookieReason, WithoutCookiesThereIsNone) {
  const aw_syn_facts facts{11, 10, 11, 128, 0, 0};
  EXPECT_EQ(aw_cookie_reason(&facts), AW_REASON_NONE);
}

TEST(CookieReason, SetToOneOnlyAFullSynQueueMakesThem) {
  aw_syn_facts facts{0, 10, 10, 128, 1, 0};
  EXPECT_EQ(aw_cookie_reason(&facts), AW_REASON_NONE);
  facts.syn_depth = 11;
  EXPECT_EQ(aw_cookie_reason(&facts), AW_SYN_QUEUE_FULL);
}

TEST(CookieReason, SetToOneIn510TheLimitItselfMakesThem) {
  const aw_syn_facts facts{0, 10, 10, 128, 1, 1};
  EXPECT_EQ(aw_cookie_reason(&facts), AW_SYN_QUEUE_FULL);
}

TEST(CookieReason, SetToTwoTheyAreAlwaysMade) {
  aw_syn_facts facts{0, 10, 0, 128, 2, 0};
  EXPECT_EQ(aw_cookie_reason(&facts), AW_ALWAYS);
  facts.syn_depth = 11; // also with a full queue: the setting is why
  EXPECT_EQ(aw_cookie_reason(&facts), AW_ALWAYS);
}

TEST(AckDropReason, FullQueueIsTheCause) {
  EXPECT_EQ(aw_ack_drop_reason(11, 10), AW_ACCEPT_QUEUE_FULL);
}

TEST(AckDropReason, OneAcceptedSinceTheKernelLookedIsStillTheQueue) {
  EXPECT_EQ(aw_ack_drop_reason(10, 10), AW_ACCEPT_QUEUE_FULL);
}

TEST(AckDropReason, RoomInTheQueueMeansThatTheRequestFailed) {
  EXPECT_EQ(aw_ack_drop_reason(9, 10), AW_REQUEST_FAILED);
  EXPECT_EQ(aw_ack_drop_reason(0, 1), AW_REQUEST_FAILED);
}

TEST(SynQueueLimit, WithCookiesIsThatOfListen) {
  for (const __u8 cookies : {__u8{1}, __u8{2}}) {
    const aw_syn_facts facts{0, 1000, 0, 128, cookies, 0};
    EXPECT_EQ(aw_syn_queue_limit(&facts, AW_REASON_NONE), 1000U);
    EXPECT_EQ(aw_syn_queue_limit(&facts, AW_SYN_QUEUE_FULL), 1000U);
  }
}

TEST(SynQueueLimit, WithoutCookiesIsTheSmallerOfListenAndUnreserved) {
  aw_syn_facts facts{0, 1000, 0, 128, 0, 0};
  EXPECT_EQ(aw_syn_queue_limit(&facts, AW_REASON_NONE), 96U);
  EXPECT_EQ(aw_syn_queue_limit(&facts, AW_ACCEPT_QUEUE_FULL), 96U);
  facts.accept_limit = 10;
  EXPECT_EQ(aw_syn_queue_limit(&facts, AW_REASON_NONE), 10U);
}

TEST(SynQueueLimit, IsTheOneThatTheReasonNames) {
  const aw_syn_facts narrow{0, 1000, 0, 128, 0, 0};
  EXPECT_EQ(aw_syn_queue_limit(&narrow, AW_SYN_QUEUE_FULL), 1000U);
  const aw_syn_facts wide{0, 10, 0, 128, 0, 0};
  EXPECT_EQ(aw_syn_queue_limit(&wide, AW_SYN_BACKLOG_RESERVED), 96U);
}

TEST(SynQueueLimit, IsTheDepthAboveWhichTheQuarterBegins) {
  for (__u32 max = 0; max < 300; ++max) {
    aw_syn_facts facts{0, 1000, 0, max, 0, 0};
    const __u32 limit = aw_syn_queue_limit(&facts, AW_SYN_BACKLOG_RESERVED);
    facts.syn_depth = limit;
    EXPECT_FALSE(aw_syn_backlog_reserved(&facts)) << max;
    facts.syn_depth = limit + 1;
    EXPECT_TRUE(aw_syn_backlog_reserved(&facts)) << max;
  }
}

TEST(SynDropMib, CountsACookieThatWasDecidedOn) {
  auto facts = idle();
  facts.accept_depth = 11;
  EXPECT_EQ(aw_syn_drop_mib(&facts), 0);
  facts.syncookies = 1;
  EXPECT_EQ(aw_syn_drop_mib(&facts), 0);
  facts.syn_depth = 11;
  EXPECT_EQ(aw_syn_drop_mib(&facts), AW_MIB_REQQFULLDOCOOKIES);
  facts.syn_depth = 0;
  facts.syncookies = 2;
  EXPECT_EQ(aw_syn_drop_mib(&facts), AW_MIB_REQQFULLDOCOOKIES);
}

TEST(SynDropMib, CountsNoneWithoutCookies) {
  auto facts = idle();
  facts.syn_depth = 11;
  EXPECT_EQ(aw_syn_drop_mib(&facts), 0);
}

TEST(RetransmitReason, WithoutAnAckTheClientIsSilent) {
  for (const int defers : {0, 1}) {
    for (const int full : {0, 1})
      EXPECT_EQ(aw_retransmit_reason(0, defers, full), AW_NO_ACK);
  }
}

TEST(RetransmitReason, AnAckThatWasNotUsedWasDropped) {
  EXPECT_EQ(aw_retransmit_reason(1, 0, 1), AW_ACK_DROPPED);
  EXPECT_EQ(aw_retransmit_reason(1, 0, 0), AW_ACK_DROPPED); // the queue has room again
}

TEST(RetransmitReason, DeferAcceptExplainsItOnlyWhileTheQueueHasRoom) {
  EXPECT_EQ(aw_retransmit_reason(1, 1, 0), AW_DEFERRED);
  EXPECT_EQ(aw_retransmit_reason(1, 1, 1), AW_ACK_DROPPED);
}

/// A close in good order, of a connection that nobody has spoken on.
aw_close_facts silent() { return {0, 0, 0, 0, 0, 0}; }

TEST(EarlyClose, OfWhoHasReadAndAnsweredIsNone) {
  auto facts = silent();
  facts.read = 100;
  EXPECT_EQ(aw_close_reason(&facts), AW_REASON_NONE);
  facts.sent = 2000;
  EXPECT_EQ(aw_close_reason(&facts), AW_REASON_NONE);
}

TEST(EarlyClose, WithoutReadingIsUnservedOrTurnedAway) {
  auto facts = silent();
  EXPECT_EQ(aw_close_reason(&facts), AW_UNSERVED);
  facts.sent = 22;
  EXPECT_EQ(aw_close_reason(&facts), AW_TURNED_AWAY);
  facts.process_failed = 1;
  EXPECT_EQ(aw_close_reason(&facts), AW_TURNED_AWAY);
}

TEST(EarlyClose, ByResetIsToldHoweverMuchWasRead) {
  auto facts = silent();
  facts.reset = 1;
  EXPECT_EQ(aw_close_reason(&facts), AW_RESET);
  facts.read = 100;
  facts.sent = 100;
  EXPECT_EQ(aw_close_reason(&facts), AW_RESET);
  facts.unread = 1;
  EXPECT_EQ(aw_close_reason(&facts), AW_UNREAD);
}

TEST(EarlyClose, OfAProcessThatFailedIsToldThoughItHasRead) {
  auto facts = silent();
  facts.read = 100;
  facts.process_failed = 1;
  EXPECT_EQ(aw_close_reason(&facts), AW_PROCESS_FAILED);
}

TEST(EarlyClose, AfterTheClientsIsNoneButWithDataUnread) {
  auto facts = silent();
  facts.client_ended = 1;
  facts.process_failed = 1;
  EXPECT_EQ(aw_close_reason(&facts), AW_REASON_NONE);
  facts.reset = 1; // SO_LINGER
  EXPECT_EQ(aw_close_reason(&facts), AW_REASON_NONE);
  facts.unread = 5;
  EXPECT_EQ(aw_close_reason(&facts), AW_UNREAD);
}

} // namespace
} // namespace acceptwatch
