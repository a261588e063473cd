// SPDX-License-Identifier: Apache-2.0
// Real pipes, FIFOs, files and terminals: nothing waits, no line is torn, nothing is followed.
#include "output/outlet.h"

#include "base/text.h"
#include "support/descriptors.h"
#include "support/temp_tree.h"

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <thread>

namespace acceptwatch {
namespace {

using namespace unit;

class OutletTest : public testing::Test {
protected:
  OutletTest() {
    std::signal(SIGPIPE, SIG_IGN);
    umask(022);
  }

  /// An outlet to whatever standard output is, which is put back at once.
  static Result<Outlet> open_stdout(int fd) {
    const Redirected redirected{fd};
    return Outlet::open("-");
  }

  static std::string line(size_t number) {
    return fmt::format("{:06} {}\n", number, std::string(90, 'x'));
  }

  /// Until it takes no more. Returns how many it took.
  static size_t fill(Outlet& outlet) {
    size_t count = 0;
    while (outlet.put(line(count))) {
      ++count;
      static_cast<void>(outlet.flush());
    }
    return count;
  }

  /// The lines from 0 on, each of them whole.
  static void expect_lines(const std::string& text, size_t count) {
    std::string expected;
    for (size_t i = 0; i < count; ++i)
      expected += line(i);
    EXPECT_TRUE(text == expected) << text.size() << " bytes instead of " << expected.size();
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    return read_file(tree.path(name)).value_or("(none)");
  }

  TempTree tree;
};

TEST_F(OutletTest, AFileIsAppendedToAndOthersMayNotReadIt) {
  tree.file("log", "before\n");
  for (const char* name : {"log", "new"}) {
    auto outlet = Outlet::open(tree.path(name));
    ASSERT_TRUE(outlet);
    EXPECT_TRUE(outlet->put("one\n"));
    EXPECT_EQ(outlet->pending(), 4U);
    EXPECT_TRUE(outlet->flush());
    EXPECT_TRUE(outlet->is_empty());
    EXPECT_EQ(outlet->waitable_fd(), -1);
    EXPECT_FALSE(outlet->is_terminal());
    EXPECT_EQ(outlet->name(), tree.path(name));
  }
  EXPECT_EQ(content("log"), "before\none\n");
  struct stat made {};
  ASSERT_EQ(stat(tree.path("new").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0640U);
}

TEST_F(OutletTest, ASymbolicLinkIsNotFollowed) {
  tree.file("target", "");
  tree.link("link", "target");
  tree.link("dangling", "nowhere");
  for (const char* name : {"link", "dangling"}) {
    const auto outlet = Outlet::open(tree.path(name));
    ASSERT_FALSE(outlet);
    EXPECT_EQ(outlet.error().what, tree.path(name) + " is a symbolic link, which is not followed");
  }
  EXPECT_EQ(content("nowhere"), "(none)");
}

TEST_F(OutletTest, ADirectoryIsNoOutput) {
  const auto outlet = Outlet::open(tree.root());
  ASSERT_FALSE(outlet);
  EXPECT_EQ(outlet.error().what,
            fmt::format("cannot open {} for writing: Is a directory", tree.root()));
}

TEST_F(OutletTest, AnotherUsersFileIsRefusedWhereOthersMayWrite) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can give a file away";
  tree.file("log", "");
  ASSERT_EQ(chown(tree.path("log").c_str(), 65534, 65534), 0);
  ASSERT_EQ(chmod(tree.root().c_str(), 01777), 0);
  const auto refused = Outlet::open(tree.path("log"));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().what.ends_with(
      "log belongs to another user, in a directory that others may write to"));
  ASSERT_EQ(chmod(tree.root().c_str(), 0755), 0);
  EXPECT_TRUE(Outlet::open(tree.path("log"))) << "its owner could not have put it there";
}

TEST_F(OutletTest, HalfALineOfAnEarlierRunIsClosedOff) {
  tree.file("log", "whole\nhal");
  auto outlet = Outlet::open(tree.path("log"));
  ASSERT_TRUE(outlet->put("next\n"));
  EXPECT_TRUE(outlet->flush());
  EXPECT_EQ(content("log"), "whole\nhal\nnext\n");
}

TEST_F(OutletTest, AFifoNeedsNoReaderYet) {
  ASSERT_EQ(mkfifo(tree.path("fifo").c_str(), 0600), 0);
  auto outlet = Outlet::open(tree.path("fifo"));
  ASSERT_TRUE(outlet);
  ASSERT_TRUE(outlet->put("one\n"));
  EXPECT_TRUE(outlet->flush());
  ASSERT_TRUE(outlet->reopen());
  ASSERT_TRUE(outlet->put("two\n"));
  EXPECT_TRUE(outlet->flush());
  const UniqueFd reader{open(tree.path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  EXPECT_EQ(read_waiting(reader.get()), "one\ntwo\n");
}

TEST_F(OutletTest, AFifosReaderMayComeAndGo) {
  ASSERT_EQ(mkfifo(tree.path("fifo").c_str(), 0600), 0);
  auto outlet = Outlet::open(tree.path("fifo"));
  for (const char* text : {"one\n", "two\n"}) {
    const UniqueFd reader{open(tree.path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    ASSERT_TRUE(outlet->put(text));
    EXPECT_TRUE(outlet->flush());
    EXPECT_EQ(read_waiting(reader.get()), text);
    EXPECT_FALSE(outlet->is_closed_pipe());
  }
}

TEST_F(OutletTest, ASlowReaderStopsNothingAndGetsWholeLines) {
  Pipe pipe;
  auto outlet = open_stdout(pipe.writer.get());
  ASSERT_TRUE(outlet);
  EXPECT_EQ(outlet->name(), "standard output");
  EXPECT_GE(outlet->waitable_fd(), 0);
  const size_t taken = fill(*outlet);
  EXPECT_FALSE(outlet->flush());
  EXPECT_EQ(outlet->error(), 0) << "it is slow, nothing is wrong";
  EXPECT_LE(outlet->pending(), Outlet::max_pending);
  EXPECT_GT(outlet->pending(), Outlet::max_pending - 200);
  std::string read;
  while (!outlet->flush())
    read += read_waiting(pipe.reader.get());
  read += read_waiting(pipe.reader.get());
  expect_lines(read, taken);
  EXPECT_TRUE(outlet->put("again\n"));
}

TEST_F(OutletTest, AReaderThatIsSlowForLongHasWhatWasReadMovedAway) {
  Pipe pipe;
  auto outlet = open_stdout(pipe.writer.get());
  size_t taken = fill(*outlet);
  std::string read;
  for (size_t i = 0; i < 400; ++i) {
    read += read_waiting(pipe.reader.get());
    static_cast<void>(outlet->flush());
    while (outlet->put(line(taken)))
      ++taken;
  }
  while (!outlet->flush())
    read += read_waiting(pipe.reader.get());
  read += read_waiting(pipe.reader.get());
  expect_lines(read, taken);
}

TEST_F(OutletTest, TheLastLinesAlwaysHaveRoom) {
  Pipe pipe;
  auto outlet = open_stdout(pipe.writer.get());
  size_t taken = fill(*outlet);
  outlet->put_last(line(taken++));
  std::string read;
  while (!outlet->flush())
    read += read_waiting(pipe.reader.get());
  read += read_waiting(pipe.reader.get());
  expect_lines(read, taken);
}

TEST_F(OutletTest, OneLineAboveTheBoundHasNoRoom) {
  auto outlet = Outlet::open(tree.path("log"));
  EXPECT_FALSE(outlet->put(std::string(Outlet::max_pending + 1, 'x')));
  EXPECT_TRUE(outlet->put(std::string(Outlet::max_pending, 'x')));
}

TEST_F(OutletTest, AReaderThatIsGoneEndsItQuietly) {
  Pipe pipe;
  auto outlet = open_stdout(pipe.writer.get());
  pipe.reader = {};
  ASSERT_TRUE(outlet->put("one\n"));
  EXPECT_TRUE(outlet->flush());
  EXPECT_TRUE(outlet->is_closed_pipe());
  EXPECT_EQ(outlet->error(), 0);
  for (size_t i = 0; i < 20'000; ++i)
    ASSERT_TRUE(outlet->put(line(i))) << "nothing is kept for nobody";
  EXPECT_TRUE(outlet->is_empty());
}

TEST_F(OutletTest, WhoeverWaitedForItMayTellThatTheReaderIsGone) {
  auto outlet = Outlet::open(tree.path("log"));
  outlet->note_closed_pipe();
  EXPECT_TRUE(outlet->is_closed_pipe());
}

TEST_F(OutletTest, OthersWhoShareThePipeStillWaitOnIt) {
  Pipe pipe;
  const auto outlet = open_stdout(pipe.writer.get());
  EXPECT_EQ(fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(OutletTest, ASocketAsStandardOutputStopsNothingEither) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd writer{ends[0]};
  const UniqueFd reader{ends[1]};
  fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  std::string read;
  size_t taken = 0;
  {
    const Redirected redirected{writer.get()}; // it cannot be opened anew
    auto outlet = Outlet::open("-");
    ASSERT_TRUE(outlet);
    taken = fill(*outlet);
    while (!outlet->flush())
      read += read_waiting(reader.get());
  }
  read += read_waiting(reader.get());
  expect_lines(read, taken);
}

TEST_F(OutletTest, ATerminalThatWasStoppedStopsNothing) {
  Terminal terminal;
  auto outlet = open_stdout(terminal.slave.get());
  ASSERT_TRUE(outlet);
  EXPECT_TRUE(outlet->is_terminal());
  EXPECT_GT(fill(*outlet), Outlet::max_pending / 100 - 1);
  EXPECT_FALSE(outlet->flush());
  EXPECT_FALSE(read_waiting(terminal.master.get()).empty());
}

TEST_F(OutletTest, AFileAsStandardOutputIsNotWaitedFor) {
  const UniqueFd file{open(tree.path("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  const Redirected redirected{file.get()};
  auto outlet = Outlet::open("-");
  ASSERT_TRUE(outlet && outlet->put("one\n") && outlet->flush());
  EXPECT_EQ(outlet->waitable_fd(), -1);
  EXPECT_TRUE(outlet->reopen()) << "nothing to do";
  EXPECT_EQ(content("log"), "one\n");
}

TEST_F(OutletTest, WhatIsNotOpenForWritingIsRefused) {
  const UniqueFd null{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const auto outlet = open_stdout(null.get());
  ASSERT_FALSE(outlet);
  EXPECT_EQ(outlet.error().what, "standard output is closed or not open for writing");
}

TEST_F(OutletTest, ADeviceThatIsFullSaysWhyAndKeepsWhatThereIsRoomFor) {
  auto outlet = Outlet::open("/dev/full");
  ASSERT_TRUE(outlet);
  fill(*outlet);
  EXPECT_FALSE(outlet->flush());
  EXPECT_EQ(outlet->error(), ENOSPC);
  EXPECT_FALSE(outlet->is_closed_pipe());
  EXPECT_GT(outlet->pending(), Outlet::max_pending - 200);
}

TEST_F(OutletTest, ReopeningGoesOnInTheNewFile) {
  auto outlet = Outlet::open(tree.path("log"));
  ASSERT_TRUE(outlet->put("one\n") && outlet->flush());
  std::filesystem::rename(tree.path("log"), tree.path("log.1"));
  ASSERT_TRUE(outlet->put("two\n"));
  ASSERT_TRUE(outlet->reopen());
  ASSERT_TRUE(outlet->put("three\n") && outlet->flush());
  EXPECT_EQ(content("log.1"), "one\ntwo\n");
  EXPECT_EQ(content("log"), "three\n");
}

TEST_F(OutletTest, WhatCannotBeReopenedGoesOnInTheOldFile) {
  auto outlet = Outlet::open(tree.path("log"));
  std::filesystem::rename(tree.path("log"), tree.path("log.1"));
  tree.link("log", "log.1");
  EXPECT_FALSE(outlet->reopen());
  ASSERT_TRUE(outlet->put("one\n") && outlet->flush());
  EXPECT_EQ(content("log.1"), "one\n");
}

TEST_F(OutletTest, AFifoThatIsReopenedInTheMiddleOfALineTearsNone) {
  ASSERT_EQ(mkfifo(tree.path("fifo").c_str(), 0600), 0);
  const UniqueFd reader{open(tree.path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  auto outlet = Outlet::open(tree.path("fifo"));
  const size_t taken = fill(*outlet);
  ASSERT_TRUE(outlet->reopen());
  std::string read;
  while (!outlet->flush())
    read += read_waiting(reader.get());
  read += read_waiting(reader.get());
  expect_lines(read, taken);
}

TEST_F(OutletTest, WhatWaitsGoesToTheNewFileFromTheBeginOfALine) {
  ASSERT_EQ(mkfifo(tree.path("log").c_str(), 0600), 0);
  auto outlet = Outlet::open(tree.path("log"));
  const size_t taken = fill(*outlet);
  std::filesystem::remove(tree.path("log"));
  tree.file("log", "hal");
  ASSERT_TRUE(outlet->reopen());
  EXPECT_TRUE(outlet->flush());
  const std::string text = content("log");
  ASSERT_TRUE(text.starts_with("hal\n"));
  const auto lines = split(std::string_view{text}.substr(4), '\n');
  for (size_t i = 0; i + 1 < lines.size(); ++i)
    ASSERT_EQ(lines[i].size(), line(0).size() - 1) << i;
  EXPECT_EQ(std::string{lines[lines.size() - 2]} + "\n", line(taken - 1));
}

/// A file system of a few pages.
class FullDiskTest : public OutletTest {
protected:
  void SetUp() override {
    tree.directory("disk");
    mounted_ = mount("none", tree.path("disk").c_str(), "tmpfs", 0, "size=16k") == 0;
    if (!mounted_)
      GTEST_SKIP() << "no file system can be mounted here: " << describe_errno(errno);
  }
  ~FullDiskTest() override {
    if (mounted_)
      umount2(tree.path("disk").c_str(), MNT_DETACH);
  }

private:
  bool mounted_ = false;
};

TEST_F(FullDiskTest, NeverHasHalfALineAndGoesOnOnceThereIsRoom) {
  tree.file("disk/ballast", std::string(8192, 'x'));
  auto outlet = Outlet::open(tree.path("disk/log"));
  ASSERT_TRUE(outlet);
  const size_t taken = fill(*outlet);
  EXPECT_EQ(outlet->error(), ENOSPC);
  const std::string before = content("disk/log");
  EXPECT_FALSE(before.empty());
  EXPECT_TRUE(before.ends_with('\n'));
  expect_lines(before, before.size() / line(0).size());
  std::filesystem::remove(tree.path("disk/ballast"));
  static_cast<void>(outlet->flush()); // there is room for a part
  const std::string after = content("disk/log");
  EXPECT_GT(after.size(), before.size());
  expect_lines(after, after.size() / line(0).size());
  EXPECT_GT(taken, after.size() / line(0).size());
}

TEST_F(FullDiskTest, TakesHalfALineBackUntilThereIsRoom) {
  auto outlet = Outlet::open(tree.path("disk/log"));
  tree.file("disk/ballast", std::string(12'000, 'x'));
  const std::string mine = std::string(5000, 'y') + "\n";
  ASSERT_TRUE(outlet->put(mine));
  EXPECT_FALSE(outlet->flush());
  EXPECT_EQ(content("disk/log"), "") << "half a line is taken back";
  std::filesystem::remove(tree.path("disk/ballast"));
  EXPECT_TRUE(outlet->flush());
  EXPECT_EQ(content("disk/log"), mine);
}

class PrintTest : public OutletTest {};

TEST_F(PrintTest, AnAnswerIsPrintedWholeHoweverSlowTheReaderIs) {
  Pipe pipe;
  fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK);
  fcntl(pipe.reader.get(), F_SETFL, 0);
  const std::string answer(100'000, 'x');
  Result<void> printed;
  std::string read;
  std::thread reader;
  {
    const Redirected redirected{pipe.writer.get()};
    reader = std::thread{[&] { read = read_waiting(pipe.reader.get()); }};
    printed = print_to_stdout(answer);
  }
  pipe.writer = {};
  reader.join();
  EXPECT_TRUE(printed);
  EXPECT_TRUE(read == answer) << read.size();
}

TEST_F(PrintTest, AReaderThatIsGoneIsNoErrorAndAFullDeviceIs) {
  Pipe pipe;
  pipe.reader = {};
  const UniqueFd full{open("/dev/full", O_WRONLY | O_CLOEXEC)};
  const UniqueFd null{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const auto print_to = [](int fd) {
    const Redirected redirected{fd};
    return print_to_stdout("answer\n");
  };
  EXPECT_TRUE(print_to(pipe.writer.get()));
  EXPECT_EQ(print_to(full.get()).error().what,
            "cannot write to standard output: No space left on device");
  EXPECT_EQ(print_to(null.get()).error().what, "standard output is closed or not open for writing");
}

} // namespace
} // namespace acceptwatch
