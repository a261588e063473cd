// SPDX-License-Identifier: Apache-2.0
#include "events/listed.h"

#include "support/records.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr QueueSettings cookies{4096, 1024, 1};
constexpr QueueSettings no_cookies{4096, 1024, 0};

TEST(AcceptLimitFrom, IsListenBelowSomaxconn) {
  EXPECT_EQ(accept_limit_from(0, cookies), LimitFrom::listen);
  EXPECT_EQ(accept_limit_from(4095, cookies), LimitFrom::listen);
}

TEST(AcceptLimitFrom, IsSomaxconnAtIt) {
  EXPECT_EQ(accept_limit_from(4096, cookies), LimitFrom::somaxconn);
}

TEST(AcceptLimitFrom, IsNotKnownAboveIt) {
  EXPECT_EQ(accept_limit_from(4097, cookies), std::nullopt);
}

TEST(SynQueueOf, HasTheAcceptQueuesLimitWithCookies) {
  EXPECT_EQ(syn_queue_of(3, 128, cookies), (ListedQueue{3, 128, LimitFrom::listen}));
  EXPECT_EQ(syn_queue_of(3, 4096, cookies), (ListedQueue{3, 4096, LimitFrom::somaxconn}));
}

TEST(SynQueueOf, HasThreeQuartersOfTheBacklogWithoutCookiesIfThatIsLess) {
  EXPECT_EQ(syn_queue_of(3, 768, no_cookies), (ListedQueue{3, 768, LimitFrom::listen}));
  EXPECT_EQ(syn_queue_of(3, 769, no_cookies), (ListedQueue{3, 768, LimitFrom::max_syn_backlog}));
  EXPECT_EQ(syn_queue_of(3, 4096, no_cookies), (ListedQueue{3, 768, LimitFrom::max_syn_backlog}));
}

TEST(SynQueueOf, HasALimitWhereItsDepthIsNotKnown) {
  EXPECT_EQ(syn_queue_of({}, 128, cookies), (ListedQueue{{}, 128, LimitFrom::listen}));
}

aw_holder a_holder() {
  aw_holder holder{};
  holder.listener.id = 77;
  holder.listener.cookie = 8231;
  holder.listener.netns = 4026531840;
  holder.listener.accept_depth = 2;
  holder.listener.accept_limit = 128;
  holder.listener.syn_depth = 1;
  holder.listener.family = AF_INET;
  holder.listener.port = 80;
  unit::set_address(holder.listener.address, "10.0.0.5");
  holder.drops = 5;
  holder.somaxconn = 4096;
  holder.max_syn_backlog = 100;
  holder.reuseport = 1;
  return holder;
}

TEST(Listed, OfAHolderHasAllThatTheIteratorTells) {
  const auto entry = listed(a_holder());
  EXPECT_EQ(entry.id, 77U);
  EXPECT_EQ(to_string(entry.address), "10.0.0.5");
  EXPECT_EQ(entry.port, 80);
  EXPECT_EQ(entry.netns, 4026531840U);
  EXPECT_EQ(entry.socket, 8231U);
  EXPECT_EQ(entry.accept_queue, (ListedQueue{2, 128, LimitFrom::listen}));
  EXPECT_EQ(entry.syn_queue, (ListedQueue{1, 75, LimitFrom::max_syn_backlog}));
  EXPECT_EQ(entry.drops, 5U);
  EXPECT_EQ(entry.reuseport, true);
  EXPECT_FALSE(entry.owner);
}

TEST(Listed, OfAListenerAloneHasNoLimit) {
  auto listener = a_holder().listener;
  listener.cookie = 0;
  listener.netns = 0;
  const auto entry = listed(listener);
  EXPECT_EQ(entry.accept_queue, (ListedQueue{2, {}, {}}));
  EXPECT_EQ(entry.syn_queue, ListedQueue{});
  EXPECT_FALSE(entry.drops);
  EXPECT_FALSE(entry.reuseport);
  EXPECT_FALSE(entry.netns);
  EXPECT_FALSE(entry.socket);
}

TEST(Peaks, AreTheGreatestDepthsOfAllLooks) {
  Peaks peaks;
  auto entry = listed(a_holder());
  for (const auto& [accept, syn] : {std::pair{2U, 7U}, {9U, 1U}, {4U, 4U}}) {
    entry.accept_queue.depth = accept;
    entry.syn_queue.depth = syn;
    peaks.note(entry);
  }
  peaks.show(entry);
  EXPECT_EQ(entry.accept_queue.peak, 9U);
  EXPECT_EQ(entry.syn_queue.peak, 7U);
}

TEST(Peaks, OfAListenerThatWasNotThereAreNotKnown) {
  auto entry = listed(a_holder());
  Peaks{}.show(entry);
  EXPECT_FALSE(entry.accept_queue.peak);
}

TEST(ListedBefore, ComparesPortThenAddress) {
  auto first = listed(a_holder());
  auto second = first;
  EXPECT_FALSE(listed_before(first, second));
  second.address.bytes[3] = 6;
  EXPECT_TRUE(listed_before(first, second));
  first.port = 443;
  EXPECT_TRUE(listed_before(second, first));
}

} // namespace
} // namespace acceptwatch
