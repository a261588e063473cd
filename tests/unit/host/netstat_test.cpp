// SPDX-License-Identifier: Apache-2.0
#include "host/netstat.h"

#include "base/file.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

/// As a 6.18 kernel wrote it, after a listener of backlog 1 was overrun.
std::string captured(const char* name) {
  const auto text = read_file(std::string{TEST_DATA} + "/" + name);
  EXPECT_TRUE(text) << name;
  return text.value_or("");
}

TEST(NetCounters, OfRealNetstatAreFoundByName) {
  const auto counters = parse_net_counters(captured("netstat-6.18"));
  EXPECT_EQ(counters.at("TcpExt:ListenOverflows"), 12U);
  EXPECT_EQ(counters.at("TcpExt:ListenDrops"), 12U);
  EXPECT_EQ(counters.at("TcpExt:TCPSynRetrans"), 8U);
  EXPECT_EQ(counters.at("TcpExt:SyncookiesSent"), 0U);
  EXPECT_EQ(counters.at("IpExt:InOctets"), 1064U);
}

TEST(NetCounters, OfRealNetstatHaveAllThatTheAuditNeeds) {
  const auto counters = parse_net_counters(captured("netstat-6.18"));
  for (const char* name : {"TcpExt:ListenOverflows", "TcpExt:ListenDrops", "TcpExt:TCPReqQFullDrop",
                           "TcpExt:TCPReqQFullDoCookies", "TcpExt:SyncookiesFailed",
                           "TcpExt:SyncookiesSent", "TcpExt:TCPSynRetrans", "TcpExt:EmbryonicRsts"})
    EXPECT_TRUE(counters.contains(name)) << name;
}

TEST(NetCounters, OfRealSnmpHaveItsGroups) {
  const auto counters = parse_net_counters(captured("snmp-6.18"));
  EXPECT_EQ(counters.at("Tcp:OutRsts"), 2U);
  EXPECT_EQ(counters.at("Tcp:PassiveOpens"), 2U);
  EXPECT_EQ(counters.at("Ip:DefaultTTL"), 64U);
}

TEST(NetCounters, ANegativeNumberIsNoCounter) {
  const auto counters = parse_net_counters(captured("snmp-6.18"));
  EXPECT_FALSE(counters.contains("Tcp:MaxConn")); // -1: no limit
  EXPECT_TRUE(counters.contains("Tcp:RtoMax"));
}

TEST(NetCounters, LargestNumbersFit) {
  EXPECT_EQ(parse_net_counters("A: x\nA: 18446744073709551615\n").at("A:x"), UINT64_MAX);
}

TEST(NetCounters, OfLinesThatDoNotFitTogetherAreNotInvented) {
  EXPECT_TRUE(parse_net_counters("").empty());
  EXPECT_TRUE(parse_net_counters("\n\n\n").empty());
  EXPECT_TRUE(parse_net_counters("TcpExt: ListenDrops\n").empty());
  EXPECT_TRUE(parse_net_counters("TcpExt: ListenDrops").empty());
  EXPECT_TRUE(parse_net_counters("TcpExt: A B\nTcpExt: 1\n").empty());
  EXPECT_TRUE(parse_net_counters("TcpExt: A\nTcpExt: 1 2\n").empty());
  EXPECT_TRUE(parse_net_counters("TcpExt: A\nIpExt: 1\n").empty());
}

TEST(NetCounters, OneBadPairDoesNotSpoilTheNext) {
  const auto counters = parse_net_counters("A: x y\nA: 1\nB: x\nB: 2\n");
  EXPECT_EQ(counters, (NetCounters{{"B:x", 2}}));
}

TEST(NetCounters, ValuesThatAreNoNumbersAreLeftOut) {
  const auto counters = parse_net_counters("A: x y z\nA: 1 2x 3\n");
  EXPECT_EQ(counters, (NetCounters{{"A:x", 1}, {"A:z", 3}}));
}

TEST(NetCounters, AreFoundWithoutANewlineAtTheEnd) {
  EXPECT_EQ(parse_net_counters("A: x\nA: 1"), (NetCounters{{"A:x", 1}}));
}

} // namespace
} // namespace acceptwatch
