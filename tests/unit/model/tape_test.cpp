// SPDX-License-Identifier: Apache-2.0
// A run is written down, and played: it tells the same again.
#include "model/tape.h"

#include "output/ndjson.h"
#include "support/monitor_fixture.h"

namespace acceptwatch {
namespace {

using namespace unit;

/// What a consumer would read.
class NdjsonSink final : public EventSink {
public:
  std::string text;
  std::vector<Event> events;

  void take(const Event& event) override {
    formatter_->format(event, text);
    events.push_back(event);
  }
  void take(const Lost& lost) override { formatter_->format(lost, text); }
  void sampled(const Sample& sample) override { formatter_->format(sample, text); }
  void audited(const Audit& audit) override { formatter_->format(audit, text); }
  void take(const Start& start) { formatter_->format(start, text); }
  void take(const Snapshot& summary) { formatter_->format(summary, text); }

  /// Another run, whose records are numbered from 0.
  void clear() {
    text.clear();
    events.clear();
    formatter_.emplace();
  }

private:
  std::optional<NdjsonFormatter> formatter_{std::in_place};
};

/// A run of a host on which everything happens, in the order in which a watch would do it.
class TapeTest : public MonitorTest {
protected:
  TapeTest() {
    host.holders[0] = a_holder(shop, 80, 4711, "java-orders");
    host.processes[4711] = {
        "java-orders", second, "/system.slice/orders.service", {{3, shop}}, FileUsage{10, 1024}};
    host.processes[4712] = {
        "nginx-front", 2 * second, "/system.slice/front.service", {{3, 8}}, FileUsage{10, 10}};
    host.chain_of_all = Chain{"tablefw", "chainfw"};
    host.state.emplace().threads.total = 4;
    host.state->threads.waits = {{"do_epoll_wait", 4}};
    host.cookie_counts = CookieCounts{100, 90};
    host.files = FileUsage{500, 100'000};
    host.mounted = {a_netns};
    host.times[shop].accepted = 3;
    host.times[shop].queued.at(2) = 3;
    head.reasons.drop[5] = "TCP_LISTEN_OVERFLOW";
    head.start = {0, "1.2.3", "6.12.0", AW_SOURCE_FENTRY, {"fentry/tcp_conn_request"}, {}};
  }

  /// `write` has the tape, `live` what was told.
  void run(bool leaves_out_names = false) {
    head.scope = scope;
    TapeWriter writer{head, leaves_out_names, [this](std::string_view b) { bytes += b; }};
    const Host& asked = writer.listen_to(host);
    KernelControl& commanded = writer.listen_to(control);
    Monitor watching{scope, head.reasons.names(), asked, commanded, live};
    play_through(writer, watching);
  }

  /// Absent: all went well.
  std::optional<Error> play(std::string_view tape) {
    played.clear();
    summaries = 0;
    const auto result = play_tape(
        tape, played, [this](const Start& start) { played.take(start); },
        [this](const Snapshot& summary) {
          ++summaries;
          played.take(summary);
        });
    return result ? std::nullopt : std::optional{result.error()};
  }

  TapeHead head;
  std::string bytes;
  NdjsonSink live;
  NdjsonSink played;
  int summaries = 0;

private:
  void play_through(TapeWriter& writer, Monitor& watching) {
    const auto give = [&](const Record& record, uint64_t count = 1) {
      writer.apply(record, count, at());
      watching.apply(record, count, at());
    };
    const auto tick = [&](uint64_t ns) {
      now += ns;
      host.now_ns = now;
      writer.tick(at());
      watching.tick(at());
    };
    host.now_ns = now;
    ASSERT_TRUE(watching.begin([&]() -> Result<Instant> {
      writer.begin(at());
      Start start = head.start;
      start.time = at().wall_time();
      live.take(start);
      return at();
    }));
    auto dropped = about(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL);
    dropped.reason_space = AW_SKB_DROP_REASON;
    dropped.kernel_reason = 5;
    give(dropped, 2);
    auto filtered = to(80, AW_LISTEN_DROP, AW_FIREWALL);
    filtered.chain = 77;
    give(filtered);
    give(opened(8, 81, 4712, "nginx-front"));
    auto forked = changed(AW_PROCESS_FORK, 4713, "");
    forked.other_pid = 4712;
    give(forked);
    auto pressed = about(shop, AW_QUEUE_PRESSURE);
    pressed.listener.accept_depth = 9;
    give(pressed);
    control.peaks[shop] = {.accept = 10, .syn = 1};
    waits(host.holders[0], 2, now - second);
    tick(second);
    give(about(shop, AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL), 7);
    host.lost.ring_buffer = 3;
    tick(second);
    host.sums_up = true;
    host.counted = {a_count(shop, AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, AW_STAGE_NONE, 42, 40)};
    tick(10 * second);
    writer.audit(at());
    watching.audit(at());
    give(about(8, AW_LISTENER_CLOSED, AW_REASON_NONE, 81));
    give(to(81, AW_RESET_SENT, AW_NO_LISTENER));
    tick(tenth);
    writer.stop(at());
    watching.stop([] {}, at());
    writer.finish(at());
    watching.finish(at());
    live.take(watching.snapshot());
  }
};

TEST_F(TapeTest, WhatIsPlayedTellsTheSameByteForByte) {
  run();
  ASSERT_GT(live.events.size(), 8U);
  EXPECT_FALSE(play(bytes));
  EXPECT_EQ(played.text, live.text);
  EXPECT_EQ(summaries, 1);
}

TEST_F(TapeTest, SoAreSamples) {
  scope.sample_seconds = 1;
  run();
  ASSERT_NE(live.text.find(R"("action":"sample")"), std::string::npos);
  EXPECT_FALSE(play(bytes));
  EXPECT_EQ(played.text, live.text);
}

TEST_F(TapeTest, SoItIsWhereAcceptIsNotSeen) {
  scope.sees_accept = false;
  scope.tier = AW_SOURCE_TRACEPOINT;
  host.entered = 12;
  run();
  EXPECT_FALSE(play(bytes));
  EXPECT_EQ(played.text, live.text);
}

TEST_F(TapeTest, SoItIsUnderFilters) {
  scope.owners.names = {"nginx-front"};
  scope.ports.emplace().set(81);
  scope.most_events = 3;
  run();
  EXPECT_FALSE(play(bytes));
  EXPECT_EQ(played.text, live.text);
}

TEST_F(TapeTest, ATapeThatWasCutOffTellsWhatItHasAndSaysSo) {
  run();
  size_t complete = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto error = play(std::string_view{bytes}.substr(0, size));
    EXPECT_EQ(summaries, 0) << size;
    EXPECT_TRUE(live.text.starts_with(played.text)) << size;
    if (error)
      EXPECT_FALSE(error->what.empty());
    else
      ++complete; // between two calls of the monitor, as after a kill
  }
  EXPECT_LT(complete, 30U);
}

TEST_F(TapeTest, ATapeOfWhichABitWasChangedIsPlayedOrRefused) {
  run();
  size_t refused = 0;
  constexpr std::array masks{0x01, 0x80, 0xFF, 0x10};
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ masks.at(i % masks.size()));
    if (const auto error = play(changed)) {
      ++refused;
      EXPECT_FALSE(error->what.empty());
    }
  }
  EXPECT_GT(refused, bytes.size() / 4);
}

TEST_F(TapeTest, AnotherFileIsNoTape) {
  EXPECT_EQ(play("#!/bin/sh\n")->what, "this is no tape");
  EXPECT_EQ(play("")->what, "this is no tape");
}

TEST_F(TapeTest, ATapeOfAnotherVersionNamesBoth) {
  run();
  bytes[std::string_view{"acceptwatch tape\n"}.size()] = 9;
  EXPECT_EQ(play(bytes)->what, "the tape is of version 9, and this reads version 5");
}

TEST_F(TapeTest, AHeadThatIsCutOffIsNotPlayed) {
  run();
  EXPECT_EQ(play(bytes.substr(0, 25))->what, "the head of the tape is cut off");
  EXPECT_TRUE(played.text.empty());
}

TEST_F(TapeTest, DamageNamesItsPlace) {
  run();
  const auto error = play(bytes.substr(0, bytes.size() - 1));
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->what.starts_with("the tape is damaged: ")) << error->what;
  EXPECT_EQ(error->advice, "What came before that was told.");
}

TEST_F(TapeTest, AnActivationThatFailedLeavesAHeadAndNoEvent) {
  head.scope = scope;
  TapeWriter writer{head, false, [this](std::string_view b) { bytes += b; }};
  writer.begin(failure("no program was attached"));
  EXPECT_TRUE(play(bytes));
  EXPECT_TRUE(played.text.empty());
}

TEST_F(TapeTest, AHostThatCouldNotBeLookedAtSaysWhyAgain) {
  host.look_fails = Error{ExitStatus::kernel, "the iterator fails", "Try another."};
  head.scope = scope;
  TapeWriter writer{head, false, [this](std::string_view b) { bytes += b; }};
  const Host& asked = writer.listen_to(host);
  Monitor watching{scope, reasons, asked, writer.listen_to(control), live};
  EXPECT_FALSE(watching.begin([&]() -> Result<Instant> {
    writer.begin(at());
    return at();
  }));
  const auto error = play(bytes);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->status, ExitStatus::kernel);
  EXPECT_EQ(error->what, "the iterator fails");
}

class PrivateTapeTest : public TapeTest {
protected:
  using Outline = std::vector<std::tuple<int, int, int, uint64_t, uint64_t, int, uint32_t>>;

  /// All but names and addresses.
  static Outline outline(const std::vector<Event>& events) {
    Outline all;
    for (const Event& event : events)
      all.emplace_back(event.action, event.reason, event.stage, event.count, event.listener,
                       event.server_port.value_or(0), event.owner ? event.owner->pid : 0);
    return all;
  }

  [[nodiscard]] bool has(std::string_view text) const {
    return bytes.find(text) != std::string::npos;
  }
};

TEST_F(PrivateTapeTest, NothingThatNamesAnybodyIsOnIt) {
  scope.owners.names = {"java-orders", "nginx-front"};
  scope.owners.cgroups = {"/system.slice"};
  scope.incomparable = {"comm=java-orders,nginx-front", "cgroup=/system.slice", "port=80"};
  head.start.filters = scope.incomparable;
  run(true);
  for (const char* name :
       {"java", "orders", "nginx", "front", "system.slice", "service", "tablefw", "chainfw"})
    EXPECT_FALSE(has(name)) << name;
  EXPECT_FALSE(has(std::string_view{"\x0A\0\0\x05", 4}));
  EXPECT_FALSE(has(std::string_view{"\x0A\0\0\x09", 4}));
  EXPECT_TRUE(has("port=80"));
}

TEST_F(PrivateTapeTest, TheSameIsToldOfOthers) {
  run(true);
  EXPECT_FALSE(play(bytes));
  EXPECT_EQ(outline(played.events), outline(live.events));
  const Event& first = played.events.at(0);
  EXPECT_EQ(first.owner->name, "name-1");
  EXPECT_EQ(to_string(*first.server_address), "198.18.0.1");
  ASSERT_TRUE(first.owner->cgroup);
  EXPECT_TRUE(first.owner->cgroup->starts_with("/cgroup-1/cgroup-"));
}

TEST_F(PrivateTapeTest, FiltersByOwnerHoldForThePseudonyms) {
  scope.owners.names = {"nginx-front"};
  scope.incomparable = {"comm=nginx-front"};
  run(true);
  EXPECT_FALSE(play(bytes));
  EXPECT_EQ(outline(played.events), outline(live.events));
}

TEST_F(PrivateTapeTest, FiltersByCgroupHoldForThePseudonyms) {
  scope.owners.cgroups = {"/system.slice/front.service"};
  scope.incomparable = {"cgroup=/system.slice/front.service"};
  run(true);
  EXPECT_FALSE(play(bytes));
  EXPECT_FALSE(live.events.empty());
  EXPECT_EQ(outline(played.events), outline(live.events));
}

} // namespace
} // namespace acceptwatch
