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

TEST(DefaultBacklog, OfAKnownServerIsNotThatOfALibrary) {
  EXPECT_TRUE(default_backlog("sshd", 128)->name.starts_with("OpenSSH"));
  EXPECT_TRUE(default_backlog("shop", 128)->name.starts_with("Rust"));
  EXPECT_EQ(default_backlog("mysqld", 151)->name, "MySQL");
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

TEST(Busy, IsToldOfTheProgramThatIsSo) {
  EXPECT_TRUE(busy_by("php-fpm8.2")->find("pm.max_children") != std::string_view::npos);
  EXPECT_TRUE(busy_by("redis-server"));
  EXPECT_FALSE(busy_by("python3"));
  EXPECT_FALSE(busy_by(""));
}

TEST(TurningAway, IsToldOfTheProgramThatDoesSo) {
  EXPECT_TRUE(turns_away_by("sshd")->starts_with("MaxStartups"));
  EXPECT_TRUE(writes_before_it_turns_away("sshd"));
  EXPECT_TRUE(turns_away_by("nginx"));
  EXPECT_FALSE(writes_before_it_turns_away("nginx"));
  EXPECT_FALSE(turns_away_by("daytimed"));
  EXPECT_FALSE(writes_before_it_turns_away("daytimed"));
}

} // namespace
} // namespace acceptwatch
