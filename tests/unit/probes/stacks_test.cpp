// SPDX-License-Identifier: Apache-2.0
#include "probes/stacks.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using Frames = std::vector<std::string>;

/// As Linux 6.18 writes them.
constexpr std::string_view sleeper = "hrtimer_nanosleep+0xcd/0x1c0\n"
                                     "common_nsleep+0x3a/0x50\n"
                                     "__x64_sys_clock_nanosleep+0xb9/0x130\n"
                                     "do_syscall_64+0xa4/0x260\n"
                                     "entry_SYSCALL_64_after_hwframe+0x77/0x7f\n\n";
constexpr std::string_view reader = "wait_woken+0x62/0x70\n"
                                    "sk_wait_data+0x128/0x160\n"
                                    "tcp_recvmsg_locked.isra.0+0x5b3/0x9b0\n\n";

std::vector<KernelStack> stacks_of(std::string_view text) {
  StackCounts counts;
  counts.add(text);
  return counts.most_frequent();
}

TEST(Stacks, EndAtTheSystemCall) {
  const auto stacks = stacks_of(sleeper);
  ASSERT_EQ(stacks.size(), 1U);
  EXPECT_EQ(stacks[0].threads, 1U);
  EXPECT_EQ(stacks[0].frames,
            (Frames{"hrtimer_nanosleep", "common_nsleep", "__x64_sys_clock_nanosleep"}));
}

/// A signal is seen to on the way out, where the system call's function is done.
TEST(Stacks, EndAtTheEntryWhereTheSystemCallIsOver) {
  const auto stacks = stacks_of("do_signal_stop+0x1/0x2\nsyscall_exit_to_user_mode+0x1/0x2\n"
                                "entry_SYSCALL_64_after_hwframe+0x77/0x7f\n\n");
  ASSERT_EQ(stacks.size(), 1U);
  EXPECT_EQ(stacks[0].frames, (Frames{"do_signal_stop", "syscall_exit_to_user_mode"}));
}

TEST(Stacks, AreWithoutOffsetsAndSuffixesOfTheCompiler) {
  const auto stacks = stacks_of(reader);
  ASSERT_EQ(stacks.size(), 1U);
  EXPECT_EQ(stacks[0].frames, (Frames{"wait_woken", "sk_wait_data", "tcp_recvmsg_locked"}));
}

TEST(Stacks, SayWhichModuleAFunctionIsOf) {
  const auto stacks = stacks_of("nfs_wait_bit_killable+0x1e/0x90 [nfs]\nf.cold+0x1/0x2 [x]\n\n");
  ASSERT_EQ(stacks.size(), 1U);
  EXPECT_EQ(stacks[0].frames, (Frames{"nfs_wait_bit_killable [nfs]", "f [x]"}));
}

TEST(Stacks, OfMostThreadsComeFirst) {
  StackCounts counts;
  counts.add(sleeper);
  counts.add(reader);
  counts.add(reader);
  EXPECT_EQ(counts.threads(), 3U);
  const auto stacks = counts.most_frequent();
  ASSERT_EQ(stacks.size(), 2U);
  EXPECT_EQ(stacks[0].threads, 2U);
  EXPECT_EQ(stacks[0].frames[0], "wait_woken");
  EXPECT_EQ(stacks[1].threads, 1U);
}

TEST(Stacks, AreThreeAtMost) {
  EXPECT_EQ(stacks_of("a+0x0/0x1\n\nb+0x0/0x1\n\nc+0x0/0x1\n\nd+0x0/0x1\n\n").size(), 3U);
}

TEST(Stacks, HaveTheOneThatKeepsAThreadFromAcceptingAmongThem) {
  const std::string idle = "a+0x0/0x1\n\na+0x0/0x1\n\nb+0x0/0x1\n\nb+0x0/0x1\n\n"
                           "c+0x0/0x1\n\nc+0x0/0x1\n\n";
  const auto stacks = stacks_of(idle + std::string{reader});
  ASSERT_EQ(stacks.size(), 3U);
  EXPECT_EQ(stacks[2].frames[1], "sk_wait_data");
  EXPECT_EQ(stacks[2].activity, Activity::socket_read);
}

TEST(Stacks, OfOneThreadIsKeptByItself) {
  StackCounts counts{4712};
  counts.add("@4711\n" + std::string{sleeper} + "@4712\n" + std::string{reader} + "@4713\n" +
             std::string{sleeper});
  EXPECT_EQ(counts.of_told(), (Frames{"wait_woken", "sk_wait_data", "tcp_recvmsg_locked"}));
  EXPECT_EQ(counts.most_frequent().at(0).threads, 2U);
}

/// An iterator's output is cut anywhere.
TEST(Stacks, AreTheSameHoweverTheTextIsCut) {
  const std::string text{std::string{sleeper} + std::string{reader}};
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    StackCounts counts;
    counts.add(std::string_view{text}.substr(0, cut));
    counts.add(std::string_view{text}.substr(cut));
    EXPECT_EQ(counts.threads(), 2U);
    EXPECT_EQ(counts.most_frequent().size(), 2U) << cut;
  }
}

TEST(Stacks, OfAThreadWhoseEndHasNotComeDoNotCount) {
  EXPECT_TRUE(stacks_of("hrtimer_nanosleep+0xcd/0x1c0\n").empty());
}

TEST(Stacks, AreNoAddresses) {
  EXPECT_TRUE(stacks_of("0xffffffff81234567\n0xffffffff81234568\n\n").empty());
}

TEST(Stacks, OfAnOverlongNameAreCut) {
  const auto stacks = stacks_of(std::string(500, 'r') + "+0x1/0x2\n\n");
  ASSERT_EQ(stacks.size(), 1U);
  EXPECT_EQ(stacks[0].frames[0].size(), 64U);
}

} // namespace
} // namespace acceptwatch
