// SPDX-License-Identifier: Apache-2.0
#include "host/mounts.h"

#include "support/temp_tree.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

class MountsTest : public testing::Test {
protected:
  std::vector<Mount> mounts(const std::string& table) {
    tree.file("mountinfo", table);
    return mounts_of(tree.path("mountinfo"));
  }

  unit::TempTree tree;
};

TEST_F(MountsTest, HaveATypeARootAndAPlace) {
  const auto found = mounts("25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
                            "31 25 0:38 net:[4026532000] /run/netns/shop rw - nsfs nsfs rw\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].type, "cgroup2");
  EXPECT_EQ(found[0].root, "/");
  EXPECT_EQ(found[0].place, "/sys/fs/cgroup");
  EXPECT_EQ(found[1].root, "net:[4026532000]");
}

TEST_F(MountsTest, ABlankATabALinesEndAndABackslashAreWrittenAsNumbers) {
  const auto found =
      mounts(R"(25 30 0:23 /my\040root /mnt/a\040b\011c\012d\134e rw - cgroup2 none rw)"
             "\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].root, "/my root");
  EXPECT_EQ(found[0].place, "/mnt/a b\tc\nd\\e");
}

TEST_F(MountsTest, WhatOnlyLooksLikeANumberStays) {
  const auto found = mounts(R"(25 30 0:23 / /mnt/\04x\9\ rw - cgroup2 none rw)"
                            "\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].place, R"(/mnt/\04x\9\)");
}

TEST_F(MountsTest, AnyNumberOfTagsMayStandBetween) {
  const auto found = mounts("1 2 0:3 / /a rw - tmpfs none rw\n"
                            "1 2 0:3 / /b rw shared:1 master:2 propagate_from:3 - proc none rw\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].type, "tmpfs");
  EXPECT_EQ(found[1].type, "proc");
}

TEST_F(MountsTest, LinesThatAreNoneAreLeftOut) {
  EXPECT_TRUE(mounts("\n1 2\n1 2 0:3 / /a rw\n1 2 0:3 / /a rw -\n - \n").empty());
  EXPECT_TRUE(mounts_of(tree.path("none")).empty());
}

TEST_F(MountsTest, ThisProcessHasSome) { EXPECT_FALSE(mounts_of().empty()); }

} // namespace
} // namespace acceptwatch
