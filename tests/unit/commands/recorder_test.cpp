// SPDX-License-Identifier: Apache-2.0
// A run that is recorded, and the same played: the same records.
#include "commands/recorder.h"

#include "base/text.h"
#include "commands/commands.h"
#include "output/outlet.h"
#include "support/descriptors.h"
#include "support/monitor_fixture.h"
#include "support/temp_tree.h"

#include <csignal>

namespace acceptwatch {
namespace {

using namespace unit;

class RecorderTest : public MonitorTest {
protected:
  RecorderTest() {
    std::signal(SIGPIPE, SIG_IGN);
    probes.host = {std::shared_ptr<void>{}, &host};
    probes.control = {std::shared_ptr<void>{}, &control};
  }

  /// So many records of a loss.
  void record(int count) {
    auto tape = TapeFile::create(tree.path("tape"));
    ASSERT_TRUE(tape);
    Recorder recorder{TapeHead{scope, {}, {}}, std::move(*tape), false, probes, sink};
    host.now_ns = now;
    ASSERT_TRUE(recorder.begin([this]() -> Result<Instant> { return at(); }));
    for (int i = 0; i < count; ++i)
      recorder.apply(about(shop, AW_LISTEN_DROP, AW_AUTHENTICATION), 1, at());
    recorder.tick(at());
    recorder.audit(at());
    recorder.stop([] {}, at());
    EXPECT_TRUE(recorder.finish(at()));
    EXPECT_EQ(recorder.monitor().snapshot().records, sink.events.size());
  }

  Result<void> play_to(const std::string& output) {
    Options options;
    options.format = OutputFormat::ndjson;
    options.played = tree.path("tape");
    options.output = output;
    return play(options);
  }

  /// Lines that have that word.
  [[nodiscard]] static size_t lines_with(const std::string& text, std::string_view word) {
    const auto lines = split(text, '\n');
    return static_cast<size_t>(std::ranges::count_if(
        lines, [&](std::string_view line) { return line.find(word) != std::string_view::npos; }));
  }

  TempTree tree;
  Probes probes;
};

TEST_F(RecorderTest, WithoutATapeItIsAMonitor) {
  Recorder recorder{TapeHead{scope, {}, {}}, std::nullopt, false, probes, sink};
  ASSERT_TRUE(recorder.begin([this]() -> Result<Instant> { return at(); }));
  recorder.apply(about(shop, AW_LISTEN_DROP, AW_AUTHENTICATION), 1, at());
  recorder.tick(at());
  recorder.audit(at());
  recorder.stop([] {}, at());
  EXPECT_TRUE(recorder.finish(at()));
  EXPECT_EQ(told(), (Told{"listen_drop", "finding"}));
}

TEST_F(RecorderTest, WhatWasRecordedIsPlayed) {
  record(3);
  ASSERT_TRUE(play_to(tree.path("log")));
  const std::string log = *read_file(tree.path("log"));
  EXPECT_EQ(lines_with(log, R"("action":"listen_drop")"), 3U);
  EXPECT_EQ(lines_with(log, R"("action":"finding")"), 1U);
  EXPECT_TRUE(log.starts_with('{'));
  EXPECT_EQ(lines_with(log, R"("action":"summary")"), 1U);
}

TEST_F(RecorderTest, ALongTapeIsPlayedWhole) {
  constexpr int many = 6000; // some megabytes, more than what is kept for a slow reader
  record(many);
  ASSERT_TRUE(play_to(tree.path("log")));
  const std::string log = *read_file(tree.path("log"));
  EXPECT_GT(log.size(), Outlet::max_pending);
  EXPECT_EQ(lines_with(log, R"("action":"listen_drop")"), static_cast<size_t>(many));
  EXPECT_EQ(lines_with(log, R"("action":"lost")"), 0U);
}

TEST_F(RecorderTest, PlayingToAFullDeviceFailsAtOnce) {
  record(3);
  const auto played = play_to("/dev/full");
  ASSERT_FALSE(played);
  EXPECT_EQ(played.error().what, "cannot write to /dev/full: No space left on device");
}

TEST_F(RecorderTest, PlayingToAReaderThatIsGoneIsQuiet) {
  record(3);
  Pipe pipe;
  pipe.reader = {};
  const Redirected redirected{pipe.writer.get()};
  EXPECT_TRUE(play_to("-"));
}

TEST_F(RecorderTest, WhatIsNoTapeIsNotPlayed) {
  EXPECT_FALSE(play_to(tree.path("log"))) << "there is none";
  tree.file("tape", "something else");
  EXPECT_EQ(play_to(tree.path("log")).error().what, "this is no tape");
}

TEST_F(RecorderTest, ATapeIsNotPlayedWhereNothingCanBeWritten) {
  record(1);
  EXPECT_FALSE(play_to(tree.path("none/log")));
}

TEST_F(RecorderTest, ATapeThatIsNotCompleteIsSaid) {
  auto tape = TapeFile::create("/dev/full");
  ASSERT_TRUE(tape);
  Recorder recorder{TapeHead{scope, {}, {}}, std::move(*tape), true, probes, sink};
  ASSERT_TRUE(recorder.begin([this]() -> Result<Instant> { return at(); }));
  recorder.stop([] {}, at());
  const auto finished = recorder.finish(at());
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().what, "the tape /dev/full is not complete: No space left on device");
}

} // namespace
} // namespace acceptwatch
