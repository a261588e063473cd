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
    const auto states = look_at_threads(procfs, {{1}});
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
  EXPECT_EQ(activity('S', call(SYS_wait4), "do_wait"), Activity::child);
  EXPECT_EQ(activity('S', call(SYS_waitid), "do_wait"), Activity::child);
  EXPECT_EQ(activity('S', call(SYS_flock), "0"), Activity::lock);
  EXPECT_EQ(activity('S', call(SYS_rt_sigsuspend), "0"), Activity::signal);
  EXPECT_EQ(activity('S', call(SYS_getpid), "do_wait"), Activity::child);
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
  const auto states = look_at_threads(procfs, {{1}});
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
  const auto states = look_at_threads(procfs, {{1, 2, 77}});
  EXPECT_EQ(states.processes, 2U);
  EXPECT_EQ(states.total, 3U);
  EXPECT_EQ(states.seen, 3U);
  EXPECT_EQ(states.count(Activity::accept), 2U);
  EXPECT_EQ(states.count(Activity::child), 1U);
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
  const auto waits = look_at_threads(procfs, {{1}}).waits;
  ASSERT_EQ(waits.size(), 4U);
  EXPECT_EQ(waits[0].function, "x");
  EXPECT_EQ(waits[0].threads, 4U);
  EXPECT_EQ(waits[1].function, "ep_poll");
  EXPECT_EQ(waits[2].function, "futex_wait_queue");
  EXPECT_EQ(waits[3].function, "do_wait");
}

TEST_F(ThreadsTest, OneThatDiffersFromAnIdlePoolIsTold) {
  thread(1, 1, 'S', call(SYS_wait4), "do_wait");
  for (uint32_t tid = 2; tid <= 7; ++tid)
    thread(1, tid, 'S', call(SYS_futex), "futex_wait");
  tree.file("1/task/1/comm", "acceptor\n");
  const auto told = look_at_threads(procfs, {{1}}).told;
  ASSERT_TRUE(told);
  EXPECT_EQ(told->tid, 1U);
  EXPECT_EQ(told->activity, Activity::child);
  EXPECT_EQ(told->name, "acceptor");
  EXPECT_FALSE(told->accepts);
}

/// A timer is what a thread in the background waits for; the main thread has none to wait for.
TEST_F(ThreadsTest, AMainThreadThatSleepsIsToldBeforeOthers) {
  thread(1, 2, 'S', call(SYS_nanosleep), "hrtimer_nanosleep");
  thread(1, 1, 'S', call(SYS_nanosleep), "hrtimer_nanosleep");
  thread(1, 3, 'S', call(SYS_futex), "futex_wait");
  EXPECT_EQ(look_at_threads(procfs, {{1}}).told->tid, 1U);
}

TEST_F(ThreadsTest, OneThatWasSeenToAcceptIsToldBeforeBusyOnes) {
  thread(1, 1, 'S', call(SYS_recvfrom), "wait_woken");
  thread(1, 9, 'S', call(SYS_futex), "futex_wait");
  const auto told = look_at_threads(procfs, {.pids = {1}, .accepters = {{1, 9}}}).told;
  ASSERT_TRUE(told);
  EXPECT_EQ(told->tid, 9U);
  EXPECT_TRUE(told->accepts);
  EXPECT_EQ(look_at_threads(procfs, {.pids = {1}, .accepters = {{1, 8}}}).told->tid, 1U)
      << "that one has ended";
}

class ListenerThreadsTest : public ThreadsTest {
protected:
  static constexpr uint64_t inode = 0x1f2e;
  ThreadStates look() { return look_at_threads(procfs, {.pids = {1}, .inode = inode}); }
  void epoll(uint32_t tid, const std::string& lines) {
    thread(1, tid, 'S', call(SYS_epoll_pwait), "ep_poll");
    tree.file("1/task/" + std::to_string(tid) + "/fdinfo/5", "pos:\t0\nflags:\t02\n" + lines);
  }
};

TEST_F(ListenerThreadsTest, AcceptIsOfTheListenerOrOfAnother) {
  thread(1, 1, 'S', call(SYS_accept4), "inet_csk_accept");
  tree.link("1/task/1/fd/5", "socket:[7982]");
  auto states = look();
  EXPECT_EQ(states.listener, Awaited::yes);
  ASSERT_EQ(states.accepters.size(), 1U);
  EXPECT_TRUE(states.told->accepts);
  thread(1, 1, 'S', call(SYS_accept4, "0x6"), "inet_csk_accept");
  tree.link("1/task/1/fd/6", "socket:[7983]");
  states = look();
  EXPECT_TRUE(states.accepters.empty());
  EXPECT_FALSE(states.told->accepts);
}

TEST_F(ListenerThreadsTest, AnEventLoopWaitsForItOrDoesNot) {
  const std::string other = "tfd:        7 events:       19 data: 7  pos:0 ino:aaaa sdev:8\n";
  epoll(1, other + "tfd:        3 events: 80000019 data: 3  pos:0 ino:1f2e sdev:8\n");
  EXPECT_EQ(look().listener, Awaited::yes);
  epoll(1, other);
  EXPECT_EQ(look().listener, Awaited::no);
  epoll(1, "tfd:        3 events: 40000000 data: 3  pos:0 ino:1f2e sdev:8\n");
  EXPECT_EQ(look().listener, Awaited::no) << "for nothing";
}

TEST_F(ListenerThreadsTest, ALoopBesideAThreadThatIsKeptFromWorkIsNoPause) {
  epoll(1, "tfd:        7 events:       19 data: 7  pos:0 ino:aaaa sdev:8\n");
  thread(1, 2, 'S', call(SYS_flock), "locks_lock_inode_wait");
  EXPECT_EQ(look().listener, Awaited::unknown);
}

class WorkersTest : public ThreadsTest {
protected:
  void process(uint32_t pid, uint32_t parent, const std::string& program) {
    tree.file(std::to_string(pid) + "/stat",
              std::to_string(pid) + " (x) S " + std::to_string(parent) + " 1 1 0 -1\n");
    tree.link(std::to_string(pid) + "/exe", program);
  }
};

TEST_F(WorkersTest, AMasterThatWaitsForSignalsIsLeftOut) {
  process(1, 9, "/usr/sbin/nginx");
  process(2, 1, "/usr/sbin/nginx");
  thread(1, 1, 'S', call(SYS_rt_sigsuspend), "sigsuspend");
  thread(2, 2, 'S', call(SYS_recvfrom), "wait_woken");
  const auto states = look_at_threads(procfs, {{1, 2}});
  EXPECT_EQ(states.supervisors, 1U);
  EXPECT_EQ(states.processes, 1U);
  EXPECT_EQ(states.seen, 1U);
  EXPECT_EQ(states.total, 1U);
  EXPECT_EQ(states.told->pid, 2U);
}

TEST_F(WorkersTest, AMasterThatIsBusyIsNot) {
  process(1, 9, "/usr/sbin/nginx");
  process(2, 1, "/usr/sbin/nginx");
  thread(1, 1, 'S', call(SYS_flock), "locks_lock_inode_wait");
  thread(2, 2, 'S', call(SYS_recvfrom), "wait_woken");
  EXPECT_EQ(look_at_threads(procfs, {{1, 2}}).supervisors, 0U);
}

/// system("sleep 60") of a program whose listener is not close-on-exec.
TEST_F(WorkersTest, AChildWithAnotherProgramIsNoWorker) {
  process(1, 9, "/usr/bin/python3.11");
  process(2, 1, "/usr/bin/sleep");
  thread(1, 1, 'S', call(SYS_wait4), "do_wait");
  thread(2, 2, 'S', call(SYS_clock_nanosleep), "hrtimer_nanosleep");
  const auto states = look_at_threads(procfs, {{1, 2}});
  EXPECT_EQ(states.supervisors, 0U);
  EXPECT_EQ(states.told->activity, Activity::child);
}

TEST_F(ThreadsTest, LookIsBoundedInThreads) {
  for (uint32_t tid = 1; tid <= 5; ++tid)
    thread(1, tid, 'R', "running", "0");
  total(1, 5);
  thread(2, 2, 'R', "running", "0");
  total(2, 1);
  const auto states = look_at_threads(procfs, {{1, 2}}, {.threads = 3});
  EXPECT_EQ(states.seen, 3U);
  EXPECT_EQ(states.total, 6U);
  EXPECT_EQ(states.processes, 1U);
}

TEST_F(ThreadsTest, LookIsBoundedInTime) {
  for (uint32_t tid = 1; tid <= 5; ++tid)
    thread(1, tid, 'R', "running", "0");
  total(1, 5);
  const auto states = look_at_threads(procfs, {{1}}, {.time = std::chrono::microseconds{0}});
  EXPECT_EQ(states.seen, 1U);
  EXPECT_EQ(states.total, 5U);
}

} // namespace
} // namespace acceptwatch
