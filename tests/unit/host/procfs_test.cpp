// SPDX-License-Identifier: Apache-2.0
#include "host/procfs.h"

#include "base/capabilities.h"
#include "support/temp_tree.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <unistd.h>
#include <utility>

namespace acceptwatch {
namespace {

/// A /proc with one process, 4711.
class ProcFsTest : public testing::Test {
protected:
  void stat_of(const std::string& name, uint64_t ticks) {
    tree.file("4711/stat", "4711 (" + name +
                               ") S 1 4711 4711 0 -1 4194304 99 0 0 0 7 8 9 10 20 0 1 0 " +
                               std::to_string(ticks) + " 3133440 409\n");
  }

  unit::TempTree tree;
  ProcFs procfs{tree.root()};
};

uint64_t ns_of_ticks(uint64_t ticks) {
  return ticks * (1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
}

TEST_F(ProcFsTest, NameIsWithoutItsNewline) {
  tree.file("4711/comm", "java\n");
  EXPECT_EQ(procfs.name(4711), "java");
}

TEST_F(ProcFsTest, NameKeepsTheBytesThatTheProcessChose) {
  tree.file("4711/comm", "a\nb\x1b\n");
  EXPECT_EQ(procfs.name(4711), "a\nb\x1b");
  tree.file("4711/comm", "\n");
  EXPECT_EQ(procfs.name(4711), "");
}

TEST_F(ProcFsTest, ProcessThatIsGoneHasNothing) {
  EXPECT_FALSE(procfs.name(4711));
  EXPECT_FALSE(procfs.start_ns(4711));
  EXPECT_FALSE(procfs.cgroup(4711));
  EXPECT_FALSE(procfs.find_socket(4711, 1, -1));
  EXPECT_FALSE(procfs.find_socket(4711, 1, 3));
  EXPECT_FALSE(procfs.for_each_socket(4711, [](int, uint64_t) { FAIL(); }));
}

TEST_F(ProcFsTest, StartIsField22InNanoseconds) {
  stat_of("java", 29831);
  EXPECT_EQ(procfs.start_ns(4711), ns_of_ticks(29831));
}

TEST_F(ProcFsTest, StartIsFoundBehindNamesThatLookLikeFields) {
  for (const char* name : {"a) (b", ") R 1 1 1", "tmux: server", "", ")))", "(", "a\nb"}) {
    stat_of(name, 77);
    EXPECT_EQ(procfs.start_ns(4711), ns_of_ticks(77)) << name;
  }
}

TEST_F(ProcFsTest, StartIsAbsentWhereStatIsCutOrOdd) {
  for (const char* stat : {"", "4711", "4711 (java", "4711 (java)", "4711 (java) S 1 2 3",
                           "4711 (java) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20"}) {
    tree.file("4711/stat", stat);
    EXPECT_FALSE(procfs.start_ns(4711)) << stat;
  }
}

TEST_F(ProcFsTest, CgroupIsThatOfTheUnifiedHierarchy) {
  tree.file("4711/cgroup", "12:memory:/v1/a\n3:cpu,cpuacct:/v1/b\n1:name=systemd:/v1/c\n"
                           "0::/system.slice/shop.service\n");
  EXPECT_EQ(procfs.cgroup(4711), "/system.slice/shop.service");
}

TEST_F(ProcFsTest, CgroupMayBeTheRootAndMayHoldColons) {
  tree.file("4711/cgroup", "0::/\n");
  EXPECT_EQ(procfs.cgroup(4711), "/");
  tree.file("4711/cgroup", "0::/a:b::c\n");
  EXPECT_EQ(procfs.cgroup(4711), "/a:b::c");
}

TEST_F(ProcFsTest, CgroupIsAbsentWhereThereIsVersion1Only) {
  tree.file("4711/cgroup", "12:memory:/v1/a\n10::/odd\n");
  EXPECT_FALSE(procfs.cgroup(4711));
}

TEST_F(ProcFsTest, SocketIsFoundAmongDescriptorsOfAllKinds) {
  tree.link("4711/fd/0", "/dev/null");
  tree.link("4711/fd/1", "pipe:[55]");
  tree.link("4711/fd/2", "anon_inode:[eventpoll]");
  tree.link("4711/fd/3", "socket:[54]");
  tree.link("4711/fd/10", "socket:[55]");
  EXPECT_EQ(procfs.find_socket(4711, 55, -1), 10);
  EXPECT_EQ(procfs.find_socket(4711, 54, -1), 3);
}

/// exit_files() runs long before the process leaves /proc.
TEST_F(ProcFsTest, ProcessWithoutAnyDescriptorIsAboutToExitAndSaysNothing) {
  tree.directory("4711/fd");
  EXPECT_FALSE(procfs.find_socket(4711, 55, -1));
  EXPECT_FALSE(procfs.for_each_socket(4711, [](int, uint64_t) { FAIL(); }));
}

TEST_F(ProcFsTest, SocketThatIsNotThereIsMinusOne) {
  tree.link("4711/fd/0", "/dev/null");
  EXPECT_EQ(procfs.find_socket(4711, 55, -1), -1);
  tree.link("4711/fd/3", "socket:[54]");
  EXPECT_EQ(procfs.find_socket(4711, 55, 3), -1);
}

TEST_F(ProcFsTest, HintIsUsedWhereItIsRightAndNotTrustedWhereItIsNot) {
  tree.link("4711/fd/3", "socket:[55]");
  tree.link("4711/fd/9", "socket:[55]");
  EXPECT_EQ(procfs.find_socket(4711, 55, 9), 9);
  EXPECT_EQ(procfs.find_socket(4711, 55, 3), 3);
  std::filesystem::remove(tree.path("4711/fd/9"));
  EXPECT_EQ(procfs.find_socket(4711, 55, 9), 3);
}

TEST_F(ProcFsTest, LinksThatOnlyLookLikeSocketsAreNone) {
  for (const char* target :
       {"socket:[]", "socket:[5x]", "socket:[-5]", "socket:[55", "/tmp/socket:[55]", "socket:"})
    tree.link("4711/fd/" + std::to_string(std::hash<std::string>{}(target) % 1000000), target);
  EXPECT_TRUE(procfs.for_each_socket(4711, [](int fd, uint64_t) { FAIL() << fd; }));
}

TEST_F(ProcFsTest, EachSocketIsVisitedWithItsInode) {
  tree.link("4711/fd/3", "socket:[54]");
  tree.link("4711/fd/4", "socket:[18446744073709551615]");
  tree.link("4711/fd/5", "/dev/null");
  std::vector<std::pair<int, uint64_t>> visited;
  EXPECT_TRUE(procfs.for_each_socket(
      4711, [&](int fd, uint64_t inode) { visited.emplace_back(fd, inode); }));
  std::sort(visited.begin(), visited.end());
  EXPECT_EQ(visited, (std::vector<std::pair<int, uint64_t>>{{3, 54}, {4, UINT64_MAX}}));
}

TEST_F(ProcFsTest, DescriptorsAboveTheLimitLeaveRoomBelowIt) {
  tree.file("4711/limits",
            "Limit                     Soft Limit           Hard Limit           Units\n"
            "Max processes             95891                95891                processes\n"
            "Max open files            12                   524288               files\n");
  for (const char* fd : {"0", "1", "2", "11", "12", "40"})
    tree.file(std::string{"4711/fd/"} + fd, "");
  const auto descriptors = procfs.descriptors(4711);
  ASSERT_TRUE(descriptors);
  EXPECT_EQ(descriptors->open, 4U);
  EXPECT_EQ(descriptors->limit, 12U);
  EXPECT_FALSE(procfs.descriptors(4712));
}

TEST_F(ProcFsTest, FilesOfTheHostAreReadAnewEachTime) {
  EXPECT_FALSE(procfs.host_files());
  tree.file("sys/fs/file-nr", "1184\t0\t9223372036854775807\n");
  const ProcFs other{tree.root()};
  ASSERT_TRUE(other.host_files());
  EXPECT_EQ(other.host_files()->open, 1184U);
  EXPECT_EQ(other.host_files()->limit, uint64_t{INT64_MAX});
  EXPECT_FALSE(other.host_files()->is_exhausted());
  tree.file("sys/fs/file-nr", "1300\t0\t1300\n");
  EXPECT_EQ(other.host_files()->open, 1300U);
  EXPECT_TRUE(other.host_files()->is_exhausted());
  tree.file("sys/fs/file-nr", "1300\n");
  EXPECT_FALSE(other.host_files());
}

TEST_F(ProcFsTest, OnlyACapabilityOfTheHostGoesBeyondFileMax) {
  const auto self = static_cast<uint32_t>(getpid());
  EXPECT_EQ(procfs.may_exceed_file_max(self), Capabilities::of(0).has(CAP_SYS_ADMIN));
  tree.link(std::to_string(self) + "/ns/user", "user:[4026532840]");
  EXPECT_FALSE(procfs.may_exceed_file_max(self));
  EXPECT_FALSE(procfs.may_exceed_file_max(UINT32_MAX)) << "it has exited";
}

TEST_F(ProcFsTest, PidsAreTheNumbersAmongTheEntries) {
  for (const char* name : {"1", "4711", "self", "net", "12x", "-3", "99999999999"})
    tree.directory(name);
  auto pids = procfs.pids();
  std::sort(pids.begin(), pids.end());
  EXPECT_EQ(pids, (std::vector<uint32_t>{1, 4711}));
}

TEST(ProcFs, OfATreeThatIsNotThereHasNoPids) {
  EXPECT_TRUE(ProcFs{"/nonexistent/proc"}.pids().empty());
}

} // namespace
} // namespace acceptwatch
