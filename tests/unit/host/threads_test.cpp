// SPDX-License-Identifier: Apache-2.0
#include "host/threads.h"

#include "support/temp_tree.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace acceptwatch {
namespace {

/// A /proc whose processes have the threads of a test.
class ThreadsTest : public testing::Test {
protected:
  void thread(uint32_t pid, uint32_t tid, char state, const std::string& syscall,
              const std::string& wchan) {
    const auto task = std::to_string(pid) + "/task/" + std::to_string(tid) + "/";
    tree.file(task + "stat", std::to_string(tid) + " (a) R b) " + state + " 1 4711 4711 0\n");
    tree.file(task + "syscall", syscall + "\n");
    tree.file(task + "wchan", wchan);
  }

  void total(uint32_t pid, size_t threads) {
    tree.file(std::to_string(pid) + "/stat", std::to_string(pid) +
                                                 " (java) S 1 4711 4711 0 -1 4194304 99 0 0 0 7 8 "
                                                 "9 10 20 0 " +
                                                 std::to_string(threads) + " 0 29831 3133440\n");
  }

  static std::string call(long number, const std::string& first = "0x5",
                          const std::string& stack = "0x7ffd5c26de38") {
    return std::to_string(number) + " " + first + " 0x0 0x0 0x0 0x0 0x0 " + stack +
           " 0x7efe8fa72503";
  }

  /// What the only thread does.
  Activity activity(char state, const std::string& syscall, const std::string& wchan) {
    thread(1, 1, state, syscall, wchan);
    const auto states = look_at_threads(procfs, {1});
    EXPECT_EQ(states.seen, 1U);
    for (size_t i = 0; i < activity_count; ++i) {
      if (states.doing[i])
        return static_cast<Activity>(i);
    }
    ADD_FAILURE() << "nothing counted";
    return Activity::other;
  }

  unit::TempTree tree;
  ProcFs procfs{tree.root()};
};

TEST_F(ThreadsTest, StateDecidesBeforeTheCall) {
  EXPECT_EQ(activity('R', "running", "0"), Activity::running);
  EXPECT_EQ(activity('D', call(SYS_read), "folio_wait_bit_common"), Activity::disk);
  EXPECT_EQ(activity('T', call(SYS_accept), "do_signal_stop"), Activity::stopped);
  EXPECT_EQ(activity('t', call(SYS_accept), "ptrace_stop"), Activity::stopped);
  EXPECT_EQ(activity('Z', "", "0"), Activity::zombie);
}

TEST_F(ThreadsTest, CallTellsWhatASleeperWaitsFor) {
  EXPECT_EQ(activity('S', call(SYS_accept), "0"), Activity::accept);
  EXPECT_EQ(activity('S', call(SYS_accept4), "0"), Activity::accept);
  EXPECT_EQ(activity('S', call(SYS_epoll_pwait), "0"), Activity::poll);
  EXPECT_EQ(activity('S', call(SYS_ppoll), "0"), Activity::poll);
  EXPECT_EQ(activity('S', call(SYS_futex), "0"), Activity::futex);
  EXPECT_EQ(activity('S', call(SYS_clock_nanosleep), "0"), Activity::sleep);
  EXPECT_EQ(activity('S', call(SYS_connect), "0"), Activity::connect);
  EXPECT_EQ(activity('S', call(SYS_recvfrom), "0"), Activity::socket_read);
  EXPECT_EQ(activity('S', call(SYS_sendto), "0"), Activity::socket_write);
  EXPECT_EQ(activity('S', call(SYS_wait4), "do_wait"), Activity::other);
}

TEST_F(ThreadsTest, ReadAndWriteDependOnTheDescriptor) {
  tree.link("1/task/1/fd/5", "socket:[4711]");
  tree.link("1/task/1/fd/10", "pipe:[4712]");
  EXPECT_EQ(activity('S', call(SYS_read), "wait_woken"), Activity::socket_read);
  EXPECT_EQ(activity('S', call(SYS_writev), "wait_woken"), Activity::socket_write);
  EXPECT_EQ(activity('S', call(SYS_read, "0xa"), "pipe_read"), Activity::io);
  EXPECT_EQ(activity('S', call(SYS_read, "0x63"), "pipe_read"), Activity::unknown);
}

TEST_F(ThreadsTest, KernelFunctionTellsWhereTheCallIsNotKnown) {
  for (const auto& syscall : {std::string{}, std::string{"-1 0x7ffd5c26de38 0x7efe8fa72503"},
                              call(SYS_restart_syscall)}) {
    EXPECT_EQ(activity('S', syscall, "inet_csk_accept"), Activity::accept);
    EXPECT_EQ(activity('S', syscall, "do_sys_poll.constprop.0"), Activity::poll);
    EXPECT_EQ(activity('S', syscall, "futex_wait_queue_me"), Activity::futex);
    EXPECT_EQ(activity('S', syscall, "hrtimer_nanosleep"), Activity::sleep);
    EXPECT_EQ(activity('S', syscall, "wait_woken"), Activity::other);
    EXPECT_EQ(activity('S', syscall, "0"), Activity::unknown);
  }
}

/// Another user's process: neither file can be read, or wchan is "0".
TEST_F(ThreadsTest, WhatCannotBeReadIsNotKnown) {
  tree.file("1/task/1/stat", "1 (java) S 1 4711 4711 0\n");
  const auto states = look_at_threads(procfs, {1});
  EXPECT_EQ(states.seen, 1U);
  EXPECT_EQ(states.count(Activity::unknown), 1U);
  EXPECT_TRUE(states.waits.empty());
}

/// 43 is accept() on x86_64 and times() on i386.
TEST_F(ThreadsTest, CallOfA32BitProcessIsNotMistaken) {
  EXPECT_EQ(activity('S', call(SYS_accept, "0x5", "0xff8a1c20"), "hrtimer_nanosleep"),
            Activity::sleep);
}

TEST_F(ThreadsTest, ThreadsOfAllProcessesAreCounted) {
  thread(1, 1, 'S', call(SYS_wait4), "do_wait");
  thread(2, 2, 'S', call(SYS_accept), "inet_csk_accept");
  thread(2, 3, 'S', call(SYS_accept), "inet_csk_accept");
  const auto states = look_at_threads(procfs, {1, 2, 77});
  EXPECT_EQ(states.processes, 2U);
  EXPECT_EQ(states.total, 3U);
  EXPECT_EQ(states.seen, 3U);
  EXPECT_EQ(states.count(Activity::accept), 2U);
  EXPECT_EQ(states.count(Activity::other), 1U);
}

TEST_F(ThreadsTest, FirstFourKernelFunctionsAreNamedByFrequency) {
  uint32_t tid = 0;
  const std::pair<const char*, int> sleepers[] = {
      {"do_wait", 1}, {"ep_poll", 3}, {"futex_wait_queue", 2}, {"x.isra.0", 1}, {"x", 3}, {"z", 1}};
  for (const auto& [function, count] : sleepers) {
    for (int i = 0; i < count; ++i)
      thread(1, ++tid, 'S', "", function);
  }
  thread(1, ++tid, 'R', "running", "0");
  const auto waits = look_at_threads(procfs, {1}).waits;
  ASSERT_EQ(waits.size(), 4U);
  EXPECT_EQ(waits[0].function, "x");
  EXPECT_EQ(waits[0].threads, 4U);
  EXPECT_EQ(waits[1].function, "ep_poll");
  EXPECT_EQ(waits[2].function, "futex_wait_queue");
  EXPECT_EQ(waits[3].function, "do_wait");
}

TEST_F(ThreadsTest, LookIsBoundedInThreads) {
  for (uint32_t tid = 1; tid <= 5; ++tid)
    thread(1, tid, 'R', "running", "0");
  total(1, 5);
  thread(2, 2, 'R', "running", "0");
  total(2, 1);
  const auto states = look_at_threads(procfs, {1, 2}, {.threads = 3});
  EXPECT_EQ(states.seen, 3U);
  EXPECT_EQ(states.total, 6U);
  EXPECT_EQ(states.processes, 1U);
}

TEST_F(ThreadsTest, LookIsBoundedInTime) {
  for (uint32_t tid = 1; tid <= 5; ++tid)
    thread(1, tid, 'R', "running", "0");
  total(1, 5);
  const auto states = look_at_threads(procfs, {1}, {.time = std::chrono::microseconds{0}});
  EXPECT_EQ(states.seen, 1U);
  EXPECT_EQ(states.total, 5U);
}

} // namespace
} // namespace acceptwatch
