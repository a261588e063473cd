// SPDX-License-Identifier: Apache-2.0
// A tape is played with each kind of record taken out in turn, as on a kernel that does not show
// it: what held then is never ruled out, and all is never well. tests/tapes/replay does so with the
// tapes of ACCEPTWATCH_TAPES.
#include "output/text.h"
#include "support/lenient_player.h"
#include "support/monitor_fixture.h"

#include "commands/tape_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

using namespace unit;

CauseState state_in(const Snapshot& snapshot, std::string_view cause) {
  return std::ranges::find(snapshot.causes, cause, &CauseJudgement::cause)->state;
}

std::string summary_text(const Snapshot& snapshot) {
  std::string text;
  TextFormatter{TextStyle{}}.format(snapshot, text);
  return text;
}

bool is_loss(const EventKey& key) {
  return key.first == AW_LISTEN_DROP || key.first == AW_RESET_SENT;
}

/// How many causes held only for what was taken out.
size_t check_each_kind(std::string_view tape, const std::string& name) {
  const LenientPlayer player{tape};
  const Snapshot whole = player.play({});
  size_t hidden = 0;
  for (const EventKey& key : player.events()) {
    const Snapshot less = player.play(key);
    const auto what =
        fmt::format("{}: without {}/{}", name, name_of(static_cast<aw_action>(key.first)),
                    name_of(static_cast<aw_reason>(key.second)));
    for (const auto& cause : whole.causes) {
      if (cause.state != CauseState::holds || state_in(less, cause.cause) == CauseState::holds)
        continue;
      ++hidden;
      EXPECT_EQ(state_in(less, cause.cause), CauseState::unseen) << what << ", " << cause.cause;
      EXPECT_NE(less.outcome, Outcome::well) << what;
      EXPECT_EQ(summary_text(less).find("Nothing was lost."), std::string::npos) << what;
      for (const ListenerReport& report : less.listeners)
        EXPECT_FALSE(is_loss(key) && report.lost_is_all) << what;
    }
  }
  return hidden;
}

/// What each kind moves in the kernel's counters is in the readings that are taken afterwards.
class TapeWithoutTest : public MonitorTest {
protected:
  void lose(aw_action action, aw_reason reason, aw_stage stage,
            std::initializer_list<KernelCounter> moved) {
    aw_event record = reason == AW_NO_LISTENER || reason == AW_FIREWALL
                          ? to(80, action, reason)
                          : about(shop, action, reason);
    record.stage = static_cast<__u8>(stage);
    losses_.push_back(record);
    host.counted.push_back(a_count(record.listener.id, action, reason, stage, 1));
    for (const KernelCounter counter : moved)
      ++after_[static_cast<size_t>(counter)];
  }

  std::string recorded() {
    std::string bytes;
    TapeHead head{scope, {}, {}};
    TapeWriter writer{head, false, [&](std::string_view piece) { bytes += piece; }};
    const Host& asked = writer.listen_to(host);
    Monitor watching{scope, reasons, asked, writer.listen_to(control), sink};
    const auto counted = std::exchange(host.counted, {});
    EXPECT_TRUE(watching.begin([&]() -> Result<Instant> {
      writer.begin(at());
      return at();
    }));
    for (const aw_event& record : losses_) {
      writer.apply(Record{record}, 1, at());
      watching.apply(Record{record}, 1, at());
    }
    host.counted = counted;
    host.readings[a_netns].values = after_;
    now += second;
    writer.tick(at());
    watching.tick(at());
    writer.stop(at());
    watching.stop([] {}, at());
    writer.finish(at());
    watching.finish(at());
    return bytes;
  }

private:
  std::vector<aw_event> losses_;
  CounterValues after_{};
};

TEST_F(TapeWithoutTest, WhatHeldIsNeverRuledOut) {
  using K = KernelCounter;
  lose(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_SYN, {K::listen_overflows, K::listen_drops});
  lose(AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, AW_STAGE_SYN, {K::req_queue_full_drop, K::listen_drops});
  lose(AW_LISTEN_DROP, AW_REQUEST_FAILED, AW_STAGE_SYN, {K::listen_drops});
  lose(AW_LISTEN_DROP, AW_COOKIE_INVALID, AW_STAGE_COOKIE, {K::syncookies_failed});
  lose(AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYN, {});
  lose(AW_LISTEN_DROP, AW_SOCKET_FILTER, AW_STAGE_SYN, {});
  lose(AW_RESET_SENT, AW_NO_LISTENER, AW_STAGE_SYN, {K::out_rsts});
  lose(AW_RESET_SENT, AW_CLOSED_LISTENER, AW_STAGE_QUEUED, {K::out_rsts});
  lose(AW_LISTENER_CLOSED, AW_REASON_NONE, AW_STAGE_NONE, {});
  lose(AW_SYNACK_RETRANSMIT, AW_NO_ACK, AW_STAGE_NONE, {K::syn_retrans});
  EXPECT_GE(check_each_kind(recorded(), "all of them"), 8U);
}

TEST_F(TapeWithoutTest, NorIsItWhereItIsAlone) {
  lose(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_SYN,
       {KernelCounter::listen_overflows, KernelCounter::listen_drops});
  EXPECT_EQ(check_each_kind(recorded(), "one"), 1U);
}

TEST(TapesWithout, OfEachScenario) {
  const char* directory = std::getenv("ACCEPTWATCH_TAPES");
  ASSERT_TRUE(directory) << "ACCEPTWATCH_TAPES is not set";
  size_t hidden = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{directory}) {
    if (entry.path().extension() == ".tape")
      hidden += check_each_kind(read_tape_file(entry.path()).value_or(""), entry.path().stem());
  }
  EXPECT_GT(hidden, 0U);
}

} // namespace
} // namespace acceptwatch
