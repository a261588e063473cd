// SPDX-License-Identifier: Apache-2.0
#include "diagnose/servers.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

TEST(DefaultBacklog, IsOfTheServerThatListens) {
  EXPECT_EQ(default_backlog("java", 50)->name, "Java's ServerSocket");
  EXPECT_EQ(default_backlog("java", 100)->name, "Tomcat");
  EXPECT_EQ(default_backlog("python3.11", 100)->name, "Python's asyncio");
}

TEST(DefaultBacklog, AnotherNumberWasConfigured) { EXPECT_FALSE(default_backlog("nginx", 510)); }

TEST(DefaultBacklog, AnotherServerHasAnother) { EXPECT_FALSE(default_backlog("nginx", 50)); }

} // namespace
} // namespace acceptwatch
