// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include "support/temp_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using unit::TempTree;

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

UniqueFd null_device() { return UniqueFd{open("/dev/null", O_RDONLY | O_CLOEXEC)}; }

TEST(UniqueFd, ClosesAtTheEndOfItsLife) {
  int number = -1;
  {
    const auto fd = null_device();
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, MovedFromOwnsNothing) {
  auto from = null_device();
  const int number = from.get();
  const UniqueFd to{std::move(from)};
  EXPECT_EQ(to.get(), number);
  EXPECT_FALSE(from); // NOLINT: what is left of it is what is tested
}

TEST(UniqueFd, AssignmentClosesTheOldOneInTheEnd) {
  int old = -1;
  {
    auto fd = null_device();
    old = fd.get();
    fd = null_device();
    EXPECT_NE(fd.get(), old);
  }
  EXPECT_FALSE(is_open(old));
}

TEST(ReadFile, GivesAllOfItWhateverItsSize) {
  const TempTree tree;
  const std::string content(100'000, 'x');
  tree.file("large", content);
  tree.file("empty", "");
  EXPECT_EQ(read_file(tree.path("large")), content);
  EXPECT_EQ(read_file(tree.path("empty")), "");
}

TEST(ReadFile, GivesNothingForWhatIsNoFile) {
  const TempTree tree;
  EXPECT_FALSE(read_file(tree.path("missing")));
  EXPECT_FALSE(read_file(tree.root()));
}

TEST(ReadLine, StopsBeforeTheNewline) {
  const TempTree tree;
  tree.file("two", "one\ntwo\n");
  tree.file("open", "one");
  EXPECT_EQ(read_line(tree.path("two")), "one");
  EXPECT_EQ(read_line(tree.path("open")), "one");
  EXPECT_FALSE(read_line(tree.path("missing")));
}

TEST(ReadLink, GivesTheTargetThoughItDoesNotExist) {
  const TempTree tree;
  tree.link("fd", "socket:[4711]");
  EXPECT_EQ(read_link(tree.path("fd")), "socket:[4711]");
  EXPECT_FALSE(read_link(tree.path("missing")));
}

} // namespace
} // namespace acceptwatch
