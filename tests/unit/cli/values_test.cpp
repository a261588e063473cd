// SPDX-License-Identifier: Apache-2.0
#include "cli/values.h"

#include "acceptwatch/record_cpp.h"
#include "support/temp_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// The ports that are set, as "80 443 8000".
std::string ports_of(const char* text) {
  const auto ports = parse_ports(text);
  if (!ports)
    return "error: " + ports.error().what;
  std::string list;
  for (size_t port = 0; port < ports->size(); ++port) {
    if (ports->test(port))
      list += fmt::format("{}{}", list.empty() ? "" : " ", port);
  }
  return list;
}

TEST(ParsePorts, TakesPortsListsAndRanges) {
  EXPECT_EQ(ports_of("80"), "80");
  EXPECT_EQ(ports_of("80,443"), "80 443");
  EXPECT_EQ(ports_of("80,8000-8003"), "80 8000 8001 8002 8003");
  EXPECT_EQ(ports_of("80-80"), "80");
  EXPECT_EQ(ports_of("443,80,443"), "80 443");
}

TEST(ParsePorts, ReachesBothEnds) {
  EXPECT_EQ(ports_of("1,65535"), "1 65535");
  EXPECT_EQ(parse_ports("1-65535")->count(), 65535U);
  EXPECT_FALSE(parse_ports("1-65535")->test(0));
}

TEST(ParsePorts, RefusesWhatIsNoPort) {
  for (const char* text : {"",
                           "0",
                           "65536",
                           "x",
                           "80x",
                           "-",
                           "80-",
                           "-80",
                           "80,",
                           ",80",
                           "80,,443",
                           " 80",
                           "80 443",
                           "0-80",
                           "80-65536",
                           "80-90-100",
                           "no-such-service",
                           "+80",
                           "0x50",
                           "8.0",
                           "99999999999999999999"}) {
    const auto ports = parse_ports(text);
    ASSERT_FALSE(ports) << '"' << text << '"';
    EXPECT_EQ(ports.error().status, ExitStatus::usage);
    EXPECT_FALSE(ports.error().what.empty());
  }
}

TEST(ParsePorts, RefusesARangeThatEndsBeforeItBegins) {
  const auto ports = parse_ports("90-80");
  ASSERT_FALSE(ports);
  EXPECT_NE(ports.error().what.find("90-80"), std::string::npos);
}

TEST(ParsePorts, QuotesWhatIsWrongSafely) {
  const auto ports = parse_ports("80,\x1b[2J");
  ASSERT_FALSE(ports);
  EXPECT_NE(ports.error().what.find("\\x1b[2J"), std::string::npos) << ports.error().what;
  EXPECT_EQ(ports.error().what.find('\x1b'), std::string::npos);
}

TEST(ParseActions, MakesABitForEach) {
  EXPECT_EQ(parse_actions("listen_drop").value(), 1U << AW_LISTEN_DROP);
  EXPECT_EQ(parse_actions("listen_drop,reset_sent,listen_drop").value(),
            1U << AW_LISTEN_DROP | 1U << AW_RESET_SENT);
}

TEST(ParseActions, RefusesWhatIsNoEventAndListsThoseThatAre) {
  for (const char* text : {"", "x", "listen_drop,", "listen_drop, reset_sent", "LISTEN_DROP"}) {
    const auto actions = parse_actions(text);
    ASSERT_FALSE(actions) << '"' << text << '"';
    EXPECT_EQ(actions.error().status, ExitStatus::usage);
    for (const char* name : {"listen_drop", "syncookie_sent", "synack_retransmit", "reset_sent",
                             "listener_opened", "listener_closed"})
      EXPECT_NE(actions.error().what.find(name), std::string::npos) << name;
  }
}

std::optional<uint32_t> netns_of(const std::string& text) {
  const auto netns = parse_netns(text);
  return netns ? std::optional{*netns} : std::nullopt;
}

uint32_t own_netns() {
  struct stat info {};
  EXPECT_EQ(stat("/proc/self/ns/net", &info), 0);
  return static_cast<uint32_t>(info.st_ino);
}

TEST(ParseNetns, TakesAPath) { EXPECT_EQ(netns_of("/proc/self/ns/net"), own_netns()); }

TEST(ParseNetns, TakesAPid) { EXPECT_EQ(netns_of(std::to_string(getpid())), own_netns()); }

TEST(ParseNetns, TakesAnInodeThatTheKernelNumbered) {
  EXPECT_EQ(netns_of("4026531840"), 4026531840U);
  EXPECT_EQ(netns_of("4294967295"), 4294967295U);
}

/// 6.18 and later number the initial namespaces from below: NET_NS_INIT_INO.
TEST(ParseNetns, TakesTheInodeOfTheInitialNamespaceOf618) {
  EXPECT_EQ(netns_of("4026531833"), 4026531833U);
}

TEST(ParseNetns, TakesTheInodeThatRecordsNameForThisNamespace) {
  EXPECT_EQ(netns_of(std::to_string(own_netns())), own_netns());
}

TEST(ParseNetns, RefusesWhatIsNotThere) {
  for (const char* text : {"", "/nonexistent/netns", "0", "4194303", "no-such-name"}) {
    const auto netns = parse_netns(text);
    ASSERT_FALSE(netns) << '"' << text << '"';
    EXPECT_EQ(netns.error().status, ExitStatus::usage);
  }
}

TEST(ParseNetns, RefusesAFileThatIsNoNetworkNamespace) {
  const unit::TempTree tree;
  tree.file("file", "");
  EXPECT_FALSE(netns_of(tree.path("file")));
  EXPECT_FALSE(netns_of("/proc/self/ns/mnt"));
}

} // namespace
} // namespace acceptwatch
