// SPDX-License-Identifier: Apache-2.0
#include "commands/outputs.h"

#include "base/text.h"
#include "support/descriptors.h"
#include "support/records.h"
#include "support/temp_tree.h"

#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/epoll.h>

namespace acceptwatch {
namespace {

using namespace unit;

class OutputsTest : public testing::Test {
protected:
  OutputsTest() { std::signal(SIGPIPE, SIG_IGN); }

  /// With that as standard output, which is put back at once.
  std::unique_ptr<Outputs> open(int fd) {
    const Redirected redirected{fd};
    auto opened = Outputs::open(options);
    EXPECT_TRUE(opened);
    return opened ? std::move(*opened) : nullptr;
  }

  static size_t count_of(const std::string& text, std::string_view word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      ++count;
    return count;
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    return read_file(tree.path(name)).value_or("(none)");
  }

  /// What is said on standard error meanwhile.
  template <typename Action> std::string said(Action action) const {
    const UniqueFd file{
        ::open(tree.path("stderr").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    {
      const Redirected redirected{file.get(), STDERR_FILENO};
      action();
    }
    return content("stderr");
  }

  TempTree tree;
  Options options;
};

TEST_F(OutputsTest, AFileAndTheTerminalAreToldTheSame) {
  Terminal terminal;
  options.output = tree.path("log");
  options.format = OutputFormat::ndjson;
  options.colour = Colour::never;
  const auto outputs = open(terminal.slave.get());
  outputs->take(Start{});
  for (int i = 0; i < 3; ++i)
    outputs->take(contract_event());
  outputs->take(Lost{0, "ring_buffer", 3});
  outputs->take(Snapshot{});
  outputs->flush();
  const std::string shown = read_waiting(terminal.master.get());
  EXPECT_EQ(count_of(content("log"), R"("action":"listen_drop")"), 3U);
  EXPECT_EQ(count_of(content("log"), R"("action":"summary")"), 1U);
  EXPECT_EQ(count_of(shown, "ACK dropped: accept queue full"), 3U) << shown;
  EXPECT_EQ(count_of(shown, "{"), 0U);
}

TEST_F(OutputsTest, BesideAFileAPipeIsToldNothing) {
  Pipe pipe;
  options.output = tree.path("log");
  const auto outputs = open(pipe.writer.get());
  outputs->take(contract_event());
  outputs->flush();
  EXPECT_EQ(read_waiting(pipe.reader.get()), "");
  EXPECT_EQ(count_of(content("log"), "accept queue full"), 1U);
}

TEST_F(OutputsTest, AnExplanationIsWrittenAtItsEnd) {
  Pipe pipe;
  options.explained = 80;
  options.format = OutputFormat::ndjson;
  const auto outputs = open(pipe.writer.get());
  outputs->take(contract_event());
  outputs->take(Snapshot{});
  outputs->flush();
  EXPECT_TRUE(read_waiting(pipe.reader.get()).starts_with('{'));
}

TEST_F(OutputsTest, ColourIsForTerminals) {
  unsetenv("NO_COLOR");
  const auto shown = [this] {
    Terminal terminal;
    const auto outputs = open(terminal.slave.get());
    outputs->take(contract_event());
    outputs->flush();
    return count_of(read_waiting(terminal.master.get()), "\x1B[");
  };
  EXPECT_GT(shown(), 0U);
  setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(shown(), 0U);
  unsetenv("NO_COLOR");
  options.colour = Colour::never;
  EXPECT_EQ(shown(), 0U);
}

TEST_F(OutputsTest, WhatCannotBeOpenedIsSaid) {
  options.output = tree.path("none/log");
  const auto opened = Outputs::open(options);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().what.ends_with("No such file or directory"));
}

TEST_F(OutputsTest, ASlowReaderIsServedByTheLoop) {
  Pipe pipe;
  options.format = OutputFormat::ndjson;
  const auto outputs = open(pipe.writer.get());
  auto loop = EventLoop::open();
  ASSERT_TRUE(outputs->wait_in(*loop));
  for (int i = 0; i < 1000; ++i)
    outputs->take(contract_event());
  outputs->flush();
  std::string read;
  ASSERT_TRUE(loop->add(pipe.reader.get(), EPOLLIN, [&](uint32_t) {
    read += read_waiting(pipe.reader.get());
    if (count_of(read, "\n") == 1000)
      loop->stop();
  }));
  EXPECT_TRUE(loop->run());
  EXPECT_EQ(outputs->pending(), 0U);
}

TEST_F(OutputsTest, AReaderThatIsGoneEndsTheLoop) {
  Pipe pipe;
  const auto outputs = open(pipe.writer.get());
  auto loop = EventLoop::open();
  ASSERT_TRUE(outputs->wait_in(*loop));
  pipe.reader = {};
  EXPECT_TRUE(loop->run()) << "though nothing is written";
}

TEST_F(OutputsTest, WritingToAReaderThatIsGoneEndsTheLoop) {
  Pipe pipe;
  const auto outputs = open(pipe.writer.get());
  auto loop = EventLoop::open();
  ASSERT_TRUE(outputs->wait_in(*loop));
  outputs->take(contract_event());
  pipe.reader = {};
  outputs->flush();
  EXPECT_TRUE(loop->run());
}

TEST_F(OutputsTest, AnErrorIsSaidOnceAndItsEndToo) {
  options.output = "/dev/full";
  const auto outputs = open(STDOUT_FILENO);
  outputs->take(contract_event());
  const std::string text = said([&] {
    outputs->flush();
    outputs->flush();
  });
  EXPECT_EQ(count_of(text, "cannot write to /dev/full: No space left on device"), 1U) << text;
}

TEST_F(OutputsTest, TheEndWaitsForAReaderForSoLongAndNoLonger) {
  Pipe pipe;
  const auto outputs = open(pipe.writer.get());
  for (int i = 0; i < 1000; ++i)
    outputs->take(contract_event());
  const std::string text = said([&] { EXPECT_TRUE(outputs->flush_for(0.05)); });
  EXPECT_EQ(
      text,
      "acceptwatch: standard output did not take the last records, the summary among them.\n");
}

TEST_F(OutputsTest, TheEndOfWhatCanBeWrittenIsQuiet) {
  options.output = tree.path("log");
  const auto outputs = open(STDOUT_FILENO);
  outputs->take(Snapshot{});
  EXPECT_EQ(said([&] { EXPECT_TRUE(outputs->flush_for(10)); }), "");
  EXPECT_NE(content("log"), "");
}

TEST_F(OutputsTest, TheEndFailsWhereSomethingIsFull) {
  options.output = "/dev/full";
  const auto outputs = open(STDOUT_FILENO);
  outputs->take(Snapshot{});
  Result<void> ended;
  said([&] { ended = outputs->flush_for(0.05); });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().what, "cannot write to /dev/full: No space left on device");
}

TEST_F(OutputsTest, WritingAllOfItFailsWhereSomethingIsFull) {
  options.output = "/dev/full";
  const auto outputs = open(STDOUT_FILENO);
  outputs->take(contract_event());
  EXPECT_EQ(outputs->write_all().error().what,
            "cannot write to /dev/full: No space left on device");
}

TEST_F(OutputsTest, ReopeningIsSaidWhereItFailsAndGoesOn) {
  options.output = tree.path("log");
  const auto outputs = open(STDOUT_FILENO);
  auto loop = EventLoop::open();
  ASSERT_TRUE(outputs->wait_in(*loop));
  std::filesystem::rename(tree.path("log"), tree.path("log.1"));
  tree.link("log", "log.1");
  EXPECT_NE(said([&] { outputs->reopen(0); }).find("symbolic link"), std::string::npos);
  outputs->take(contract_event());
  outputs->flush();
  EXPECT_EQ(count_of(content("log.1"), "accept queue full"), 1U);
}

TEST_F(OutputsTest, AFifoIsWaitedForAfterItWasReopened) {
  ASSERT_EQ(mkfifo(tree.path("fifo").c_str(), 0600), 0);
  options.output = tree.path("fifo");
  options.format = OutputFormat::ndjson;
  const auto outputs = open(STDOUT_FILENO);
  const UniqueFd reader{::open(tree.path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  auto loop = EventLoop::open();
  ASSERT_TRUE(outputs->wait_in(*loop));
  for (int i = 0; i < 1000; ++i)
    outputs->take(contract_event());
  outputs->flush();
  outputs->reopen(0);
  std::string read;
  ASSERT_TRUE(loop->add(reader.get(), EPOLLIN, [&](uint32_t) {
    read += read_waiting(reader.get());
    if (count_of(read, "\n") == 1000)
      loop->stop();
  }));
  EXPECT_TRUE(loop->run());
  for (const auto line : split(read, '\n'))
    EXPECT_TRUE(line.empty() || (line.front() == '{' && line.back() == '}')) << line;
}

} // namespace
} // namespace acceptwatch
