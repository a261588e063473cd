// SPDX-License-Identifier: Apache-2.0
#include "events/owner_state.h"

#include <gtest/gtest.h>
#include <initializer_list>
#include <sys/socket.h>
#include <utility>

namespace acceptwatch {
namespace {

/// One process, all of whose threads were looked at.
OwnerState threads(std::initializer_list<std::pair<Activity, size_t>> doing) {
  OwnerState state;
  state.threads.processes = 1;
  for (const auto& [activity, count] : doing) {
    state.threads.doing[static_cast<size_t>(activity)] = count;
    state.threads.seen += count;
  }
  state.threads.total = state.threads.seen;
  return state;
}

TEST(OwnerSentence, SaysWhatAllThreadsDo) {
  EXPECT_EQ(sentence_of(threads({{Activity::socket_read, 10}})),
            "all 10 threads wait in read(), none in accept()");
  EXPECT_EQ(sentence_of(threads({{Activity::running, 1}})), "its only thread runs (CPU)");
  EXPECT_EQ(sentence_of(threads({{Activity::accept, 2}})), "both threads wait in accept()");
}

TEST(OwnerSentence, SaysWhatMostThreadsDo) {
  EXPECT_EQ(sentence_of(threads({{Activity::socket_read, 7}, {Activity::futex, 3}})),
            "7 of 10 threads wait in read(), none in accept()");
  EXPECT_EQ(sentence_of(threads({{Activity::futex, 7}, {Activity::accept, 1}})),
            "7 of 8 threads wait in futex()");
}

TEST(OwnerSentence, TellsTheOneThatIsKeptFromAcceptingBeforeIdleOnes) {
  EXPECT_EQ(sentence_of(threads({{Activity::socket_read, 1}, {Activity::futex, 19}})),
            "1 of 20 threads waits in read(), 19 in futex(), none in accept()");
  EXPECT_EQ(sentence_of(threads({{Activity::running, 1}, {Activity::poll, 8}})),
            "1 of 9 threads runs (CPU), 8 in poll()");
  EXPECT_EQ(sentence_of(threads({{Activity::stopped, 1}, {Activity::futex, 19}})),
            "1 of 20 threads is stopped; 19 of 20 threads wait in futex()");
}

TEST(OwnerSentence, DoesNotExpectAnEventLoopInAccept) {
  EXPECT_EQ(sentence_of(threads({{Activity::poll, 4}})), "all 4 threads wait in poll()");
  EXPECT_EQ(sentence_of(threads({{Activity::running, 2}, {Activity::poll, 1}})),
            "2 of 3 threads run (CPU)");
}

TEST(OwnerSentence, DoesNotSayWhereThreadsAreNotIfThatIsNotKnown) {
  EXPECT_EQ(sentence_of(threads({{Activity::unknown, 11}})), "all 11 threads sleep");
  EXPECT_EQ(sentence_of(threads({{Activity::futex, 11}, {Activity::unknown, 1}})),
            "11 of 12 threads wait in futex()");
}

TEST(OwnerSentence, OfATieTellsWhatKeepsFromAccepting) {
  EXPECT_EQ(sentence_of(threads({{Activity::accept, 1}, {Activity::disk, 1}})),
            "1 of 2 threads is in disk sleep (D)");
}

TEST(OwnerSentence, IgnoresThreadsThatHaveExited) {
  EXPECT_EQ(sentence_of(threads({{Activity::zombie, 2}, {Activity::sleep, 1}})),
            "1 of 3 threads sleeps (timer), none in accept()");
}

TEST(OwnerSentence, OfAProcessThatCannotDoAnythingSaysNoMore) {
  auto state = threads({{Activity::stopped, 3}});
  state.descriptors = FileUsage{20, 20};
  EXPECT_EQ(sentence_of(state), "process is stopped");
  state.frozen = true;
  EXPECT_EQ(sentence_of(state), "process is frozen (cgroup)");
  state.threads = threads({{Activity::zombie, 1}}).threads;
  EXPECT_EQ(sentence_of(state), "process has exited");
}

TEST(OwnerSentence, OfAProcessWhoseFirstThreadHasExitedIsNotItsEnd) {
  auto state = threads({{Activity::zombie, 1}});
  state.threads.total = 9; // pthread_exit() in main()
  EXPECT_EQ(sentence_of(state), "");
}

TEST(OwnerSentence, OfSeveralProcessesSaysSo) {
  auto state = threads({{Activity::stopped, 3}});
  state.threads.processes = 3;
  EXPECT_EQ(sentence_of(state), "processes are stopped");
}

TEST(OwnerSentence, OfAPartOfTheThreadsDoesNotSpeakForTheOthers) {
  auto state = threads({{Activity::stopped, 512}});
  state.threads.total = 4000;
  EXPECT_EQ(sentence_of(state), "all 512 threads seen are stopped");
  state = threads({{Activity::futex, 500}, {Activity::accept, 12}});
  state.threads.total = 4000;
  EXPECT_EQ(sentence_of(state), "500 of 512 threads seen wait in futex()");
}

TEST(OwnerSentence, TellsTheLackOfDescriptorsFirst) {
  auto state = threads({{Activity::poll, 1}});
  state.descriptors = FileUsage{19, 20};
  EXPECT_EQ(sentence_of(state), "its only thread waits in poll()");
  state.descriptors = FileUsage{20, 20};
  EXPECT_EQ(sentence_of(state), "20/20 descriptors; its only thread waits in poll()");
}

TEST(OwnerSentence, TellsThrottlingWhileThereIsPressure) {
  auto state = threads({{Activity::running, 1}});
  state.cpu_quota = CpuQuota{.quota_us = 5000,
                             .period_us = 100000,
                             .periods = 200,
                             .throttled = 190,
                             .throttled_us = 17'000'000};
  EXPECT_EQ(sentence_of(state), "its only thread runs (CPU)");
  state.pressure.cpu = 88;
  EXPECT_EQ(sentence_of(state), "throttled: 95 % of periods; its only thread runs (CPU)");
}

TEST(OwnerSentence, TellsPressureAfterTheThreads) {
  auto state = threads({{Activity::disk, 1}});
  state.pressure = {.cpu = 9.9, .memory = 35.4};
  EXPECT_EQ(sentence_of(state), "its only thread is in disk sleep (D); memory pressure 35 %");
  state.threads = threads({{Activity::running, 1}}).threads;
  state.pressure = {.cpu = 10, .memory = 9.9};
  EXPECT_EQ(sentence_of(state), "its only thread runs (CPU); CPU pressure 10 %");
}

/// What others wait for does not explain a thread that sleeps for something else.
TEST(OwnerSentence, LeavesPressureAwayFromAThreadThatSleeps) {
  auto state = threads({{Activity::sleep, 1}});
  state.pressure = {.cpu = 99, .memory = 99};
  EXPECT_EQ(sentence_of(state), "its only thread sleeps (timer)");
  state.threads = threads({{Activity::disk, 1}}).threads;
  state.pressure.memory.reset();
  EXPECT_EQ(sentence_of(state), "its only thread is in disk sleep (D)");
}

ToldThread told(Activity activity, uint32_t pid = 4711, uint32_t tid = 4711) {
  ToldThread thread;
  thread.pid = pid;
  thread.tid = tid;
  thread.activity = activity;
  return thread;
}

TEST(OwnerSentence, NamesTheOneThreadSoThatAPersonCanLookAtIt) {
  auto state = threads({{Activity::child, 1}, {Activity::futex, 6}});
  state.threads.told = told(Activity::child);
  EXPECT_EQ(sentence_of(state, 200), "1 of 7 threads (4711, the main thread) waits in wait() for a "
                                     "child, 6 in futex(), none in accept()");
  EXPECT_EQ(sentence_of(state),
            "1 of 7 threads (4711, the main thread) waits in wait() for a child");
  state.threads.told->tid = 4715;
  EXPECT_EQ(sentence_of(state), "1 of 7 threads (4711/4715) waits in wait() for a child");
}

TEST(OwnerSentence, NamesNoThreadWhereSeveralDoTheSame) {
  auto state = threads({{Activity::socket_read, 3}, {Activity::futex, 6}});
  state.threads.told = told(Activity::socket_read);
  EXPECT_EQ(sentence_of(state), "3 of 9 threads wait in read(), 6 in futex(), none in accept()");
}

TEST(OwnerSentence, OfWorkersNamesTheProcess) {
  auto state = threads({{Activity::stopped, 1}, {Activity::poll, 4}});
  state.threads.processes = 5;
  state.threads.supervisors = 1;
  state.threads.told = told(Activity::stopped, 1779, 1779);
  EXPECT_EQ(sentence_of(state), "1 of 5 threads (1779) is stopped");
  state.threads = threads({{Activity::stopped, 2}}).threads;
  state.threads.processes = 2;
  state.threads.supervisors = 1;
  EXPECT_EQ(sentence_of(state), "all workers are stopped");
}

TEST(OwnerSentence, SaysWhomTheThreadWaitsFor) {
  auto state = threads({{Activity::socket_read, 1}});
  state.threads.told = told(Activity::socket_read);
  Peer peer;
  peer.address.family = AF_INET;
  peer.address.bytes = {10, 0, 0, 7};
  peer.port = 5432;
  state.threads.told->peer = peer;
  EXPECT_EQ(sentence_of(state), "its only thread waits in read() from 10.0.0.7:5432");
  state.threads.told->peer->is_client = true;
  EXPECT_EQ(sentence_of(state), "its only thread waits in read() from client 10.0.0.7:5432");
  state = threads({{Activity::lock, 1}});
  state.threads.told = told(Activity::lock);
  state.threads.told->lock_holder = 4712;
  EXPECT_EQ(sentence_of(state), "its only thread waits for a file lock that process 4712 has");
}

/// Nobody waits for the listener, nor is kept from it.
TEST(OwnerSentence, OfALoopThatWaitsForOthersIsAPause) {
  auto state = threads({{Activity::poll, 1}});
  EXPECT_FALSE(is_paused(state));
  state.threads.listener = Awaited::no;
  EXPECT_TRUE(is_paused(state));
  state.frozen = true;
  EXPECT_FALSE(is_paused(state));
}

TEST(OwnerSentence, TellsThrottlingOfTheTimeSinceTheLastLook) {
  auto state = threads({{Activity::running, 1}});
  state.cpu_quota = CpuQuota{.quota_us = 5000,
                             .period_us = 100000,
                             .periods = 1000,
                             .throttled = 900,
                             .throttled_us = 17'000'000,
                             .recent_periods = 10,
                             .recent_throttled = 0};
  EXPECT_FALSE(throttled_percent(state)) << "it was, and is over";
  state.cpu_quota->recent_throttled = 9;
  EXPECT_EQ(throttled_percent(state), 90);
}

TEST(OwnerSentence, HasTwoFactsAtMost) {
  auto state = threads({{Activity::running, 1}});
  state.descriptors = FileUsage{20, 20};
  state.pressure.memory = 50;
  EXPECT_EQ(sentence_of(state), "20/20 descriptors; its only thread runs (CPU)");
}

TEST(OwnerSentence, SaysLessWhereThereIsNoRoomForMore) {
  auto state = threads({{Activity::socket_read, 10}});
  state.descriptors = FileUsage{20, 20};
  EXPECT_EQ(sentence_of(state),
            "20/20 descriptors; all 10 threads wait in read(), none in accept()");
  state.descriptors = FileUsage{1'048'576, 1'048'576};
  state.threads = threads({{Activity::io, 500}, {Activity::futex, 12}}).threads;
  state.threads.total = 600;
  EXPECT_EQ(sentence_of(state), "1048576/1048576 descriptors");
  state.descriptors = FileUsage{1024, 1024};
  state.threads = threads({{Activity::socket_read, 100}}).threads;
  EXPECT_EQ(sentence_of(state), "1024/1024 descriptors; all 100 threads wait in read()");
}

TEST(OwnerSentence, DoesNotCallTheOnlyOneSeenTheOnlyThread) {
  auto state = threads({{Activity::futex, 1}});
  state.threads.total = 4000;
  EXPECT_EQ(sentence_of(state), "the only thread seen waits in futex()");
}

TEST(OwnerStack, NamesAsManyFunctionsAsThereIsRoomFor) {
  auto state = threads({{Activity::sleep, 10}, {Activity::futex, 1}});
  EXPECT_EQ(stack_of(state.threads), "");
  state.threads.stacks = {
      {{"hrtimer_nanosleep", "common_nsleep", "__x64_sys_clock_nanosleep"}, 10, Activity::sleep},
      {{"futex_wait_queue"}, 1, Activity::futex}};
  EXPECT_EQ(stack_of(state.threads),
            "in hrtimer_nanosleep <- common_nsleep <- sys_clock_nanosleep");
  state.threads.stacks[0].frames[1] += "_of_a_time_namespace";
  EXPECT_EQ(stack_of(state.threads), "in hrtimer_nanosleep <- common_nsleep_of_a_time_namespace");
}

TEST(OwnerStack, IsOfThoseThatTheSentenceIsAbout) {
  auto state = threads({{Activity::socket_read, 1}, {Activity::futex, 19}});
  state.threads.stacks = {{{"futex_wait_queue"}, 19, Activity::futex},
                          {{"wait_woken", "sk_wait_data"}, 1, Activity::socket_read}};
  EXPECT_EQ(stack_of(state.threads), "in wait_woken <- sk_wait_data");
}

TEST(OwnerStack, IsTheThreadsOwnWhereItIsOneOfMany) {
  auto state = threads({{Activity::child, 1}, {Activity::futex, 6}});
  state.threads.stacks = {{{"futex_wait_queue"}, 6, Activity::futex}};
  state.threads.told = told(Activity::child);
  state.threads.told->frames = {"do_wait", "kernel_wait4"};
  EXPECT_EQ(stack_of(state.threads), "in do_wait <- kernel_wait4");
}

TEST(OwnerStack, SaysOfHowManyItIsWhereThatIsNotAll) {
  auto state = threads({{Activity::futex, 11}});
  state.threads.stacks = {{{"a"}, 10, Activity::futex}, {{"b"}, 1, Activity::futex}};
  EXPECT_EQ(stack_of(state.threads), "10 in a");
  state.threads.stacks = {{{"a"}, 11, Activity::other}};
  EXPECT_EQ(stack_of(state.threads), "in a");
  state.threads.stacks = {{{"a"}, 7, Activity::other}};
  EXPECT_EQ(stack_of(state.threads), "7 in a");
  state.threads = threads({{Activity::stopped, 2}, {Activity::poll, 1}}).threads;
  state.threads.stacks = {{{"do_signal_stop"}, 2, Activity::stopped},
                          {{"ep_poll"}, 1, Activity::poll}};
  EXPECT_EQ(stack_of(state.threads), "in do_signal_stop");
  state.threads = threads({{Activity::sleep, 1}}).threads;
  state.threads.stacks = {{{"a"}, 1}};
  EXPECT_EQ(stack_of(state.threads), "in a");
}

/// 80 columns, of which the time takes 13.
TEST(OwnerSentence, HasRoomInALine) {
  for (size_t i = 0; i < activity_count; ++i) {
    auto state = threads({{static_cast<Activity>(i), 511}});
    state.threads.seen = 512;
    state.threads.total = 100'000;
    EXPECT_LE(sentence_of(state).size(), 67U) << sentence_of(state);
    state.pressure.cpu = state.pressure.memory = 100;
    EXPECT_LE(sentence_of(state).size(), 67U) << sentence_of(state);
  }
}

TEST(OwnerSentence, OfNothingIsEmpty) { EXPECT_EQ(sentence_of(OwnerState{}), ""); }

TEST(OwnerSentence, NamesOfActivitiesAreKnownAndDistinct) {
  for (size_t i = 0; i < activity_count; ++i) {
    EXPECT_FALSE(name_of(static_cast<Activity>(i)).empty());
    for (size_t j = 0; j < i; ++j)
      EXPECT_NE(name_of(static_cast<Activity>(i)), name_of(static_cast<Activity>(j)));
  }
  EXPECT_EQ(name_of(Activity::accept), "accept");
  EXPECT_EQ(name_of(Activity::zombie), "zombie");
}

} // namespace
} // namespace acceptwatch
