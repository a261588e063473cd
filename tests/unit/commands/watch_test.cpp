// SPDX-License-Identifier: Apache-2.0
// Whole runs that need no privileges: by polling, each in a process of its own, for it gives up
// capabilities and blocks signals.
#include "base/text.h"
#include "commands/commands.h"
#include "support/descriptors.h"
#include "support/temp_tree.h"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>

namespace acceptwatch {
namespace {

using namespace unit;

class WatchTest : public testing::Test {
protected:
  WatchTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options.tier = AW_SOURCE_POLL;
    options.format = OutputFormat::ndjson;
    options.output = tree.path("log");
    options.quiet = true;
  }

  /// Ends this process as main() would.
  [[noreturn]] static void end(const Result<ExitStatus>& result) {
    if (!result)
      fmt::print(stderr, "{}\n", result.error().what);
    std::exit(static_cast<int>(result ? *result : result.error().status));
  }

  /// Unsealed: sanitizers make calls of their own at the end, and coverage is written then.
  [[nodiscard]] Result<ExitStatus> run() const {
    return watch(options, [](const SealNeeds&) { return Result<bool>{true}; });
  }

  /// Calls `act` once the run is ready, beside it.
  void when_ready(std::function<void()> act) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr); // for the run alone to get them
    options.ready_fd = fcntl(ready.writer.get(), F_DUPFD, 10);
    fcntl(ready.reader.get(), F_SETFL, 0);
    std::thread{[this, act = std::move(act)] {
      char byte = 0;
      if (read(ready.reader.get(), &byte, 1) == 1)
        act();
    }}.detach();
  }

  [[nodiscard]] std::vector<std::string> lines(const char* name = "log") const {
    const std::string text = read_file(tree.path(name)).value_or("");
    std::vector<std::string> found;
    for (const auto line : split(text, '\n')) {
      if (!line.empty())
        found.emplace_back(line);
    }
    return found;
  }

  static bool is_of(const std::string& line, const char* action) {
    return line.find(fmt::format(R"("action":"{}")", action)) != std::string::npos;
  }

  TempTree tree;
  Pipe ready;
  Options options;
};

TEST_F(WatchTest, BeginsWithAStartAndEndsWithASummary) {
  options.duration = 0.1;
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(0), "^$");
  const auto all = lines();
  ASSERT_GE(all.size(), 2U);
  EXPECT_TRUE(is_of(all.front(), "start"));
  EXPECT_TRUE(is_of(all.back(), "summary"));
}

TEST_F(WatchTest, SaysWhatItWatchesBy) {
  options.duration = 0.05;
  options.quiet = false;
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(0),
              "watching by poll; Ctrl-C ends. Some losses could pass unseen");
}

TEST_F(WatchTest, ASignalEndsItAndOthersReopenItsFilesAndShowTheAudit) {
  EXPECT_EXIT(
      {
        when_ready([&] {
          std::filesystem::rename(tree.path("log"), tree.path("log.1"));
          kill(getpid(), SIGHUP);
          kill(getpid(), SIGUSR1);
          while (!std::filesystem::exists(tree.path("log")))
            std::this_thread::yield();
          kill(getpid(), SIGTERM);
        });
        end(run());
      },
      testing::ExitedWithCode(0), "probes=poll");
  EXPECT_TRUE(is_of(lines("log.1").front(), "start"));
  EXPECT_TRUE(is_of(lines().back(), "summary"));
}

TEST_F(WatchTest, ARunThatWasRecordedPlaysTheSame) {
  options.duration = 0.1;
  options.tape = tree.path("tape");
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(0), "^$");
  Options played;
  played.format = OutputFormat::ndjson;
  played.played = options.tape;
  played.output = tree.path("played");
  ASSERT_TRUE(play(played));
  EXPECT_EQ(lines("played"), lines());
}

TEST_F(WatchTest, AListenerThatIsOpenedIsToldOnceSomebodyLooks) {
  options.count = 1;
  options.actions = 1U << AW_LISTENER_OPENED;
  EXPECT_EXIT(
      {
        when_ready([] {
          const int listener = socket(AF_INET, SOCK_STREAM, 0);
          if (listen(listener, 1) != 0)
            std::abort();
        });
        options.duration = 20; // it ends with the first
        end(run());
      },
      testing::ExitedWithCode(0), "^$");
  const auto all = lines();
  EXPECT_EQ(std::ranges::count_if(
                all, [](const std::string& line) { return is_of(line, "listener_opened"); }),
            1);
}

TEST_F(WatchTest, AnExplanationThatFoundNothingSaysSoByItsStatus) {
  options.command = Command::explain;
  options.explained = 1;
  options.ports.emplace().set(1);
  options.duration = 0.1;
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(6), "^$");
}

TEST_F(WatchTest, AReaderThatIsGoneEndsIt) {
  options.output.clear();
  EXPECT_EXIT(
      {
        Pipe pipe;
        dup2(pipe.writer.get(), STDOUT_FILENO);
        pipe.writer = {};
        pipe.reader = {};
        end(run());
      },
      testing::ExitedWithCode(0), "^$");
}

TEST_F(WatchTest, AReaderThatHasStoppedDoesNotKeepItFromEnding) {
  options.output.clear();
  options.duration = 0.1;
  EXPECT_EXIT(
      {
        Pipe pipe;
        dup2(pipe.writer.get(), STDOUT_FILENO);
        while (write(pipe.writer.get(), "x", 1) == 1 &&
               fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK) == 0)
          ;
        end(run()); // that it waits would show by never ending
      },
      testing::ExitedWithCode(0), "did not take the last records");
}

TEST_F(WatchTest, WhatCannotBeOpenedBeginsNothing) {
  options.output = tree.path("none/log");
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(1), "cannot open .*none/log");
  options.output = tree.path("log");
  options.tape = tree.path("none/tape");
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(1), "cannot write a tape to");
  EXPECT_TRUE(lines().empty());
}

TEST_F(WatchTest, ADescriptorThatCannotBeToldReadyIsAnError) {
  options.ready_fd = 999;
  EXPECT_EXIT(end(run()), testing::ExitedWithCode(1), "--ready-fd: Bad file descriptor");
}

class AnswersTest : public WatchTest {
protected:
  template <typename Command> Result<void> print(Command command) {
    const UniqueFd file{
        open(tree.path("out").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    const Redirected redirected{file.get()};
    return command(options);
  }

  [[nodiscard]] std::string out() const { return read_file(tree.path("out")).value_or(""); }
};

TEST_F(AnswersTest, CheckSaysWhatIsPossibleAndWhatPollingDoesNotSee) {
  EXPECT_TRUE(print(check));
  EXPECT_TRUE(out().starts_with('{')) << out();
  EXPECT_NE(out().find(R"("poll")"), std::string::npos);
  options.format = OutputFormat::text;
  EXPECT_TRUE(print(check));
  EXPECT_NE(out().find("poll"), std::string::npos);
}

TEST_F(AnswersTest, CheckFailsWhereTypeInformationIsNone) {
  tree.file("btf", "none");
  options.btf = tree.path("btf");
  EXPECT_FALSE(print(check));
}

TEST_F(AnswersTest, ListShowsAListenerAndItsOwner) {
  const UniqueFd listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(listen(listener.get(), 5), 0);
  sockaddr_in name{};
  socklen_t size = sizeof(name);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  options.ports.emplace().set(ntohs(name.sin_port));
  options.quiet = true;
  ASSERT_TRUE(print(list));
  EXPECT_NE(out().find(fmt::format(R"("port":{})", ntohs(name.sin_port))), std::string::npos)
      << out();
  EXPECT_NE(out().find(fmt::format(R"("pid":{})", getpid())), std::string::npos) << out();
  options.format = OutputFormat::text;
  options.duration = 0.05;
  ASSERT_TRUE(print(list));
  EXPECT_NE(out().find(std::to_string(ntohs(name.sin_port))), std::string::npos) << out();
}

TEST_F(AnswersTest, ListOfWhatNobodyHasIsEmpty) {
  options.comms = {"no such name"};
  options.quiet = true;
  ASSERT_TRUE(print(list));
  EXPECT_EQ(out(), "");
}

} // namespace
} // namespace acceptwatch
