// SPDX-License-Identifier: Apache-2.0
#include "cli/services.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr const char* services = "# Network services\n"
                                 "http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP\n"
                                 "domain 53/udp\ndomain 53/tcp\n"
                                 "ntp 123/udp\n"
                                 "bad x/tcp\nzero 0/tcp\nlonely\n\n"
                                 "http-alt 8080/tcp webcache";

TEST(Services, HaveNamesAndAliases) {
  EXPECT_EQ(port_of_service("http", services), 80);
  EXPECT_EQ(port_of_service("www", services), 80);
  EXPECT_EQ(port_of_service("http-alt", services), 8080);
  EXPECT_EQ(port_of_service("webcache", services), 8080);
}

TEST(Services, AreThoseOfTcp) {
  EXPECT_EQ(port_of_service("domain", services), 53);
  EXPECT_EQ(port_of_service("ntp", services), std::nullopt);
}

TEST(Services, IgnoreWhatIsNone) {
  for (const char* name : {"", "bad", "zero", "lonely", "80/tcp", "WorldWideWeb", "HTT"})
    EXPECT_EQ(port_of_service(name, services), std::nullopt) << name;
}

} // namespace
} // namespace acceptwatch
