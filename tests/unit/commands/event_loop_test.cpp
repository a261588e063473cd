// SPDX-License-Identifier: Apache-2.0
#include "commands/event_loop.h"

#include "commands/signals.h"
#include "support/descriptors.h"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/epoll.h>

namespace acceptwatch {
namespace {

using unit::Pipe;

class EventLoopTest : public testing::Test {
protected:
  static void write_to(const UniqueFd& fd) { EXPECT_EQ(write(fd.get(), "1", 1), 1); }

  Result<EventLoop> loop = EventLoop::open();
  Pipe pipe;
};

TEST_F(EventLoopTest, CallsWhoeverIsConcernedUntilItIsStopped) {
  int calls = 0;
  ASSERT_TRUE(loop->add(pipe.reader.get(), EPOLLIN, [&](uint32_t events) {
    EXPECT_EQ(events, static_cast<uint32_t>(EPOLLIN));
    if (++calls == 3)
      loop->stop();
  }));
  write_to(pipe.writer);
  EXPECT_TRUE(loop->run());
  EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, OneThatWasStoppedBeforeDoesNotWait) {
  loop->stop();
  EXPECT_TRUE(loop->run());
}

TEST_F(EventLoopTest, AFileIsNotWaitedForAndIsNoError) {
  const UniqueFd null{open("/dev/null", O_WRONLY | O_CLOEXEC)};
  EXPECT_TRUE(loop->add(null.get(), EPOLLOUT, [](uint32_t) { FAIL(); }));
}

TEST_F(EventLoopTest, WhatIsNoDescriptorIsAnError) {
  EXPECT_EQ(loop->add(-1, EPOLLIN, {}).error().what,
            "cannot wait for a descriptor: Bad file descriptor");
}

TEST_F(EventLoopTest, WaitsForNothingUntilItIsTold) {
  bool called = false;
  ASSERT_TRUE(loop->add(pipe.reader.get(), 0, [&](uint32_t) {
    called = true;
    loop->stop();
  }));
  write_to(pipe.writer);
  Pipe other;
  ASSERT_TRUE(loop->add(other.reader.get(), EPOLLIN, [&](uint32_t) {
    EXPECT_FALSE(called);
    loop->change(other.reader.get(), 0);
    loop->change(pipe.reader.get(), EPOLLIN);
  }));
  write_to(other.writer);
  EXPECT_TRUE(loop->run());
  EXPECT_TRUE(called);
}

TEST_F(EventLoopTest, OneThatAnotherHasRemovedIsNotCalledAnyMore) {
  Pipe other;
  int calls = 0;
  const auto handler = [&](const UniqueFd& remove) {
    return [&](uint32_t) {
      ++calls;
      loop->remove(remove.get());
      loop->stop();
    };
  };
  ASSERT_TRUE(loop->add(pipe.reader.get(), EPOLLIN, handler(other.reader)));
  ASSERT_TRUE(loop->add(other.reader.get(), EPOLLIN, handler(pipe.reader)));
  write_to(pipe.writer);
  write_to(other.writer);
  EXPECT_TRUE(loop->run());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, AHandlerMayRemoveItself) {
  ASSERT_TRUE(loop->add(pipe.reader.get(), EPOLLIN, [this](uint32_t) {
    loop->remove(pipe.reader.get());
    loop->stop();
  }));
  write_to(pipe.writer);
  EXPECT_TRUE(loop->run());
}

TEST_F(EventLoopTest, ATimerIsReadableWhenItsTimeHasComeAndOnce) {
  auto timer = Timer::open();
  ASSERT_TRUE(timer);
  int calls = 0;
  ASSERT_TRUE(loop->add(timer->fd(), EPOLLIN, [&](uint32_t) {
    timer->acknowledge();
    if (++calls == 3)
      loop->stop();
    else
      timer->set(calls == 1 ? 1e-12 : 0.001); // the first is as soon as can be
  }));
  timer->set(0.001);
  EXPECT_TRUE(loop->run());
  EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, ATimerThatIsSetToNeverIsDisarmed) {
  auto never = Timer::open();
  auto later = Timer::open();
  never->set(0.001);
  never->set(0);
  ASSERT_TRUE(loop->add(never->fd(), EPOLLIN, [](uint32_t) { FAIL(); }));
  ASSERT_TRUE(loop->add(later->fd(), EPOLLIN, [this](uint32_t) { loop->stop(); }));
  later->set(0.02);
  EXPECT_TRUE(loop->run());
}

TEST_F(EventLoopTest, SignalsAreSomethingToRead) {
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  const auto signals = open_signals();
  ASSERT_TRUE(signals);
  EXPECT_EQ(read_signal(signals->get()), 0) << "none waits";
  std::vector<int> seen;
  ASSERT_TRUE(loop->add(signals->get(), EPOLLIN, [&](uint32_t) {
    seen.push_back(read_signal(signals->get()));
    if (seen.size() == 3)
      loop->stop();
  }));
  for (const int number : {SIGHUP, SIGUSR1, SIGTERM})
    raise(number);
  EXPECT_TRUE(loop->run());
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (std::vector<int>{SIGHUP, SIGUSR1, SIGTERM}));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace
} // namespace acceptwatch
