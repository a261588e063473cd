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

TEST(Limits, AreToldOfTheProgramThatHasThem) {
  EXPECT_TRUE(connection_limit("haproxy")->starts_with("maxconn"));
  EXPECT_TRUE(connection_limit("php-fpm8.2"));
  EXPECT_FALSE(connection_limit("python3"));
  EXPECT_FALSE(connection_limit(""));
  EXPECT_TRUE(descriptor_setting("memcached")->starts_with("-c"));
  EXPECT_FALSE(descriptor_setting("java"));
}

} // namespace
} // namespace acceptwatch
