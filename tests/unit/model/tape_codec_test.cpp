// SPDX-License-Identifier: Apache-2.0
#include "model/tape.h"
#include "model/tape_codec.h"

#include "support/records.h"

#include <gtest/gtest.h>
#include <limits>

namespace acceptwatch {
namespace {

template <typename T> std::string encoded(const T& value) {
  TapeEncoder encoder;
  encoder(value);
  return encoder.bytes();
}

/// What is read back, which has to be all that was written.
template <typename T> T round_trip(const T& value) {
  const std::string bytes = encoded(value);
  TapeDecoder decoder{bytes};
  T back{};
  decoder(back);
  EXPECT_FALSE(decoder.is_broken());
  EXPECT_TRUE(decoder.is_at_end());
  EXPECT_EQ(encoded(back), bytes);
  // And it is not taken for whole where the end is missing.
  const size_t step = 1 + bytes.size() / 100;
  for (size_t size = 0; size < bytes.size(); size += step) {
    TapeDecoder cut{std::string_view{bytes}.substr(0, size)};
    T part{};
    cut(part);
    EXPECT_TRUE(cut.is_broken()) << size;
  }
  return back;
}

TEST(TapeCodec, NumbersAreShortWhereTheyAreSmall) {
  for (const uint64_t number : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{300},
                                std::numeric_limits<uint64_t>::max()})
    EXPECT_EQ(round_trip(number), number);
  EXPECT_EQ(encoded(uint64_t{127}).size(), 1U);
  EXPECT_EQ(encoded(uint64_t{128}).size(), 2U);
  EXPECT_EQ(encoded(std::numeric_limits<uint64_t>::max()).size(), 10U);
}

TEST(TapeCodec, SoAreNumbersBelowZero) {
  for (const int64_t number :
       {int64_t{0}, int64_t{-1}, int64_t{1}, int64_t{-64}, std::numeric_limits<int64_t>::min(),
        std::numeric_limits<int64_t>::max()})
    EXPECT_EQ(round_trip(number), number);
  EXPECT_EQ(encoded(int64_t{-64}).size(), 1U);
  EXPECT_EQ(round_trip(-1), -1);
}

TEST(TapeCodec, ANumberThatNeverEndsIsBroken) {
  const std::string bytes(20, '\xFF');
  TapeDecoder decoder{bytes};
  EXPECT_EQ(decoder.number(), 0U);
  EXPECT_TRUE(decoder.is_broken());
}

TEST(TapeCodec, SimpleValues) {
  EXPECT_TRUE(round_trip(true));
  EXPECT_FALSE(round_trip(false));
  EXPECT_EQ(round_trip(1.25), 1.25);
  EXPECT_EQ(round_trip(AW_SOURCE_KPROBE), AW_SOURCE_KPROBE);
  EXPECT_EQ(round_trip(std::string{"a\0b", 3}), (std::string{"a\0b", 3}));
  EXPECT_EQ(round_trip(std::string{}), "");
  EXPECT_EQ(round_trip(std::optional<int>{}), std::nullopt);
  EXPECT_EQ(round_trip(std::optional{7}), 7);
  EXPECT_EQ(round_trip(std::vector<uint32_t>{1, 2, 300}), (std::vector<uint32_t>{1, 2, 300}));
  EXPECT_EQ(round_trip(std::map<uint32_t, std::string>{{5, "FIVE"}}),
            (std::map<uint32_t, std::string>{{5, "FIVE"}}));
  EXPECT_EQ(round_trip(std::array<uint64_t, 2>{3, 4}), (std::array<uint64_t, 2>{3, 4}));
}

TEST(TapeCodec, EveryPortOfAFilter) {
  std::bitset<65536> ports;
  ports.set(0).set(80).set(65535);
  EXPECT_TRUE(round_trip(ports) == ports);
}

TEST(TapeCodec, Records) {
  aw_event event = unit::an_event();
  event.listener.id = 7;
  event.chain = 9;
  EXPECT_EQ(round_trip(event).chain, 9U);
  aw_process process{};
  process.other_pid = 4;
  EXPECT_EQ(round_trip(process).other_pid, 4U);
  aw_holder holder{};
  holder.somaxconn = 4096;
  EXPECT_EQ(round_trip(holder).somaxconn, 4096U);
  EXPECT_EQ(round_trip(aw_peaks{.accept = 3, .syn = 4}).syn, 4U);
}

TEST(TapeCodec, TimesAndAnswersOfTheHost) {
  EXPECT_EQ(round_trip(Instant{1, -2, 3}).wall_offset, -2);
  EXPECT_EQ(round_trip(FileUsage{5, 6}).limit, 6U);
  EXPECT_EQ(round_trip(CookieCounts{7, 8}).returned, 8U);
  NetCounterLook look;
  look.readings[9] = {.values = {1, 2}, .evidence = {7}, .witnesses = {3, 4}, .files = {5, 6}};
  look.took_ns = 10;
  const auto looked = round_trip(look);
  EXPECT_EQ(looked.took_ns, 10U);
  EXPECT_EQ(looked.readings.at(9).files[1], 6U);
  EXPECT_EQ(looked.readings.at(9).evidence[0], 7U);
  const auto failed =
      round_trip(ListenerLook{1, 2, Error{ExitStatus::kernel, "what", "advice"}}).failed;
  EXPECT_EQ(failed->status, ExitStatus::kernel);
  EXPECT_EQ(failed->advice, "advice");
  Counter counter;
  counter.key.reason = 3;
  counter.count = 4;
  counter.suppressed = 5;
  const auto counted = round_trip(std::vector{counter});
  EXPECT_EQ(counted.at(0).key.reason, 3);
  EXPECT_EQ(counted.at(0).suppressed, 5U);
  EXPECT_EQ(round_trip(Losses{1, 2, 3, 4}).followers, 4U);
  Waits waits{1, 2, {}, {}};
  waits.handshake.at(3) = 4;
  EXPECT_EQ(round_trip(waits).handshake.at(3), 4U);
  EXPECT_EQ(round_trip(Chain{"filter", "input"}).name, "input");
}

TEST(TapeCodec, WhatAnOwnerWasDoing) {
  OwnerState state;
  state.threads.processes = 2;
  state.threads.supervisors = 1;
  state.threads.total = state.threads.seen = 3;
  state.threads.waits = {{"do_epoll_wait", 3}};
  state.threads.stacks = {{{"a", "b"}, 3, Activity::poll}};
  state.threads.listener = Awaited::no;
  state.threads.accepters = {{4711, 4712}};
  auto& told = state.threads.told.emplace();
  told.tid = 4712;
  told.peer = Peer{{AF_INET, {10}}, 5432, true};
  state.open_connections = 9;
  state.threads.doing.at(4) = 3;
  state.descriptors = FileUsage{10, 20};
  state.frozen = true;
  state.cpu_quota = CpuQuota{1, 2, 3, 4, 5};
  state.pressure = {1.5, std::nullopt, true};
  const auto back = round_trip(state);
  EXPECT_EQ(back.threads.waits.at(0).function, "do_epoll_wait");
  EXPECT_EQ(back.threads.stacks.at(0).activity, Activity::poll);
  EXPECT_EQ(back.threads.stacks.at(0).frames.at(1), "b");
  EXPECT_EQ(back.threads.doing.at(4), 3U);
  EXPECT_EQ(back.threads.listener, Awaited::no);
  EXPECT_EQ(back.threads.accepters, state.threads.accepters);
  EXPECT_EQ(back.threads.told->peer->port, 5432);
  EXPECT_EQ(back.open_connections, 9U);
  EXPECT_EQ(back.cpu_quota->throttled_us, 5U);
  EXPECT_EQ(back.pressure.cpu, 1.5);
  EXPECT_TRUE(back.pressure.of_host);
}

TEST(TapeCodec, TheScopeOfARun) {
  Scope scope;
  scope.tier = AW_SOURCE_KPROBE;
  scope.sees_queues = scope.sees_accept = true;
  scope.blind = {{AW_LISTEN_DROP, AW_MEMORY, AW_STAGE_SYN, "field", "why", "remedy"}};
  scope.ports.emplace().set(80);
  scope.netns = 4;
  scope.family = AF_INET6;
  scope.actions = 5;
  scope.owners = {{6}, {"name"}, {"/cgroup"}};
  scope.most_events = 7;
  scope.incomparable = {"port=80"};
  scope.pressure_percent = 8;
  scope.thresholds = {9, 10, 11, 12, 13, 14};
  const auto back = round_trip(scope);
  EXPECT_EQ(back.tier, AW_SOURCE_KPROBE);
  EXPECT_TRUE(back.sees_queues && back.sees_accept);
  EXPECT_EQ(back.blind.at(0).remedy, "remedy");
  EXPECT_TRUE(back.ports->test(80));
  EXPECT_EQ(back.netns, 4U);
  EXPECT_EQ(back.family, AF_INET6);
  EXPECT_EQ(back.actions, 5U);
  EXPECT_EQ(back.owners.cgroups.at(0), "/cgroup");
  EXPECT_EQ(back.most_events, 7U);
  EXPECT_EQ(back.incomparable.at(0), "port=80");
  EXPECT_EQ(back.pressure_percent, 8);
  EXPECT_EQ(back.thresholds.flood, 14U);
}

TEST(TapeCodec, TheStartAndTheKernelsReasons) {
  const auto start = round_trip(Start{1, "2", "3", AW_SOURCE_POLL, {"4"}, {"5"}});
  EXPECT_EQ(start.kernel, "3");
  EXPECT_EQ(start.filters.at(0), "5");
  KernelReasons reasons;
  reasons.drop[1] = "ONE";
  reasons.reset[2] = "TWO";
  EXPECT_EQ(round_trip(reasons).reset.at(2), "TWO");
}

TEST(TapeCodec, ANumberThatNamesNothingIsBroken) {
  const auto is_broken = []<typename T>(const std::string& bytes, T value) {
    TapeDecoder decoder{bytes};
    decoder(value);
    return decoder.is_broken();
  };
  EXPECT_TRUE(is_broken(encoded(uint64_t{AW_NR_ACTIONS}), AW_ACTION_NONE));
  EXPECT_TRUE(is_broken(encoded(uint64_t{200}), Activity::other));
  aw_event event = unit::an_event();
  for (__u8* number : {&event.action, &event.reason, &event.stage, &event.hook, &event.reason_space,
                       &event.header.source}) {
    const __u8 before = *number;
    EXPECT_FALSE(is_broken(encoded(event), aw_event{}));
    *number = 200;
    EXPECT_TRUE(is_broken(encoded(event), aw_event{}));
    *number = before;
  }
  Counter counter;
  counter.key.reason = AW_NR_REASONS;
  EXPECT_TRUE(is_broken(encoded(counter), Counter{}));
}

TEST(TapeCodec, AClaimOfMoreThanThereIsTakesNoMemory) {
  TapeEncoder encoder;
  encoder.number(1ULL << 40);
  {
    TapeDecoder decoder{encoder.bytes()};
    std::string text;
    decoder(text);
    EXPECT_TRUE(decoder.is_broken());
    EXPECT_LT(text.capacity(), 100U);
  }
  TapeDecoder decoder{encoder.bytes()};
  std::vector<Scope> many;
  decoder(many);
  EXPECT_TRUE(decoder.is_broken());
  EXPECT_TRUE(many.empty());
}

} // namespace
} // namespace acceptwatch
