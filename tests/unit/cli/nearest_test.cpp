// SPDX-License-Identifier: Apache-2.0
#include "cli/nearest.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

const std::vector<std::string> commands{"explain", "list", "check"};

TEST(Nearest, ForgivesLettersByTheLengthOfTheWord) {
  EXPECT_EQ(nearest("explan", commands), "explain");
  EXPECT_EQ(nearest("epxlain", commands), "explain");
  EXPECT_EQ(nearest("lsit", commands), "list");
  EXPECT_EQ(nearest("lists", commands), "list");
  EXPECT_EQ(nearest("chekc", commands), "check");
}

TEST(Nearest, TakesABeginningForTheWord) { EXPECT_EQ(nearest("exp", commands), "explain"); }

TEST(Nearest, IsNoneWhereNoneIsNear) {
  EXPECT_EQ(nearest("tail", commands), std::nullopt);
  EXPECT_EQ(nearest("", commands), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'x'), commands), std::nullopt);
}

} // namespace
} // namespace acceptwatch
