// SPDX-License-Identifier: Apache-2.0
#include "model/summed_up.h"

#include "support/records.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using Told = std::vector<std::pair<uint16_t, uint64_t>>; // client port, count

aw_event of_client(uint16_t port, aw_reason reason = AW_ACCEPT_QUEUE_FULL) {
  auto record = unit::an_event();
  record.reason = static_cast<__u8>(reason);
  record.listener.id = 4711;
  record.ends.client_port = port;
  return record;
}

Counter counted(uint64_t suppressed, aw_reason reason = AW_ACCEPT_QUEUE_FULL) {
  const auto record = of_client(0, reason);
  return {{record.listener.id, 0, record.action, record.reason, record.stage, 0},
          suppressed,
          suppressed};
}

Told take(SummedUp& summed_up, const std::vector<Counter>& counters) {
  Told told;
  summed_up.take(counters, [&](const aw_event& example, uint64_t count) {
    told.emplace_back(example.ends.client_port, count);
  });
  return told;
}

TEST(SummedUp, AreToldOnceWithTheLastRecordOfTheirKind) {
  SummedUp summed_up;
  summed_up.note(of_client(50001));
  summed_up.note(of_client(50002));
  summed_up.note(of_client(50003, AW_SYN_QUEUE_FULL));
  EXPECT_EQ(take(summed_up, {counted(7)}), (Told{{50002, 7}}));
  EXPECT_EQ(take(summed_up, {counted(7)}), Told{});
  EXPECT_EQ(take(summed_up, {counted(9)}), (Told{{50002, 2}}));
}

TEST(SummedUp, AreForgottenWithTheirListenerAndNoSooner) {
  SummedUp summed_up;
  summed_up.note(of_client(50001));
  EXPECT_EQ(take(summed_up, {counted(7)}), (Told{{50001, 7}}));
  const auto all = [](ListenerUse use) { return [use](uint64_t) { return use; }; };
  summed_up.forget(all(ListenerUse::unknown)); // its opening is still to be read, perhaps
  EXPECT_EQ(take(summed_up, {counted(7)}), Told{});
  summed_up.forget(all(ListenerUse::over));
  EXPECT_EQ(take(summed_up, {counted(7)}), Told{}); // its counter is there as before
  summed_up.forget(all(ListenerUse::unknown));
  EXPECT_EQ(take(summed_up, {counted(1)}), (Told{{0, 1}})); // another's, by the same number
}

TEST(SummedUp, KeepKindsApart) {
  SummedUp summed_up;
  summed_up.note(of_client(1));
  summed_up.note(of_client(2, AW_SYN_QUEUE_FULL));
  EXPECT_EQ(take(summed_up, {counted(5), counted(6, AW_SYN_QUEUE_FULL)}), (Told{{1, 5}, {2, 6}}));
}

TEST(SummedUp, OfWhatHadItsOwnRecordAreNone) {
  SummedUp summed_up;
  EXPECT_EQ(take(summed_up, {{counted(0).key, 12, 0}}), Told{});
}

TEST(SummedUp, OfTooManyKindsKeepNoMore) {
  SummedUp summed_up;
  for (uint64_t id = 1; id <= SummedUp::max_kinds; ++id) {
    auto record = of_client(1);
    record.listener.id = 10000 + id;
    summed_up.note(record);
  }
  summed_up.note(of_client(2));
  EXPECT_EQ(take(summed_up, {counted(5)}), (Told{{0, 5}})); // told all the same
}

TEST(SummedUp, WithoutAnExampleSayWhatTheCounterKnows) {
  SummedUp summed_up;
  summed_up.take(std::vector{counted(3)}, [](const aw_event& example, uint64_t count) {
    EXPECT_EQ(count, 3U);
    EXPECT_EQ(example.listener.id, 4711U);
    EXPECT_EQ(example.action, AW_LISTEN_DROP);
    EXPECT_EQ(example.reason, AW_ACCEPT_QUEUE_FULL);
    EXPECT_EQ(example.flags, 0U);
  });
}

TEST(SummedUp, ThatTheAuditTellsApartAreEachToldOnce) {
  SummedUp summed_up;
  auto beside = counted(5);
  beside.key.extra_mib = AW_MIB_REQQFULLDOCOOKIES;
  EXPECT_EQ(take(summed_up, {counted(7), beside}), (Told{{0, 7}, {0, 5}}));
  EXPECT_EQ(take(summed_up, {counted(7), beside}), Told{});
}

} // namespace
} // namespace acceptwatch
