// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rules.h"

#include "support/facts.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

using namespace unit;

TEST(Refusals, WhatTheKernelRefusesOnTheWayInHasItsName) {
  Facts facts = healthy();
  facts.dropped[AW_OTHER] = seen(3);
  facts.kernel_reason = "TCP_MINTTL";
  const auto found = judge(facts, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].what.find("TCP_MINTTL"), std::string::npos);
  EXPECT_NE(found[0].advice.find("IP_MINTTL"), std::string::npos);
}

/// Three packets of a kind, refused on a device.
Facts refused(aw_reason reason, aw_stage stage) {
  Facts facts = healthy();
  facts.dropped[reason] = seen(3);
  Refused& refusal = facts.refusals[reason];
  refusal.packets[stage] = 3;
  refusal.device = "eth7";
  refusal.client = Address{AF_INET, {192, 0, 2, 9}};
  return facts;
}

TEST(Refusals, WhatIsRefusedOnTheWayNamesTheDeviceAndTheClient) {
  const auto found = judge(refused(AW_REVERSE_PATH, AW_STAGE_SYN), {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "reverse_path");
  EXPECT_NE(found[0].what.find("eth7 dropped 3 SYNs"), std::string::npos) << found[0].what;
  EXPECT_NE(found[0].advice.find("net.ipv4.conf.eth7.rp_filter"), std::string::npos);
  EXPECT_NE(found[0].advice.find("192.0.2.9"), std::string::npos);
}

TEST(Refusals, AnAnswerThatTrafficControlDropsIsLookedForAtEgress) {
  const auto in = judge(refused(AW_TRAFFIC_CONTROL, AW_STAGE_SYN), {});
  const auto out = judge(refused(AW_TRAFFIC_CONTROL, AW_STAGE_SYNACK), {});
  ASSERT_EQ(in.size(), 1U);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_NE(in[0].advice.find("eth7 ingress"), std::string::npos) << in[0].advice;
  EXPECT_NE(out[0].advice.find("eth7 egress"), std::string::npos) << out[0].advice;
  EXPECT_NE(out[0].what.find("3 SYN-ACKs"), std::string::npos) << out[0].what;
}

TEST(Refusals, AClientIsNotCalledSilentWhereThisHostAteTheAnswer) {
  for (const aw_stage stage : {AW_STAGE_SYN, AW_STAGE_SYNACK, AW_STAGE_ACK}) {
    Facts facts = refused(AW_FIREWALL, stage);
    facts.silent = seen(9);
    facts.silent_handshakes = 9;
    const auto found = judge(facts, {});
    const bool lost = std::ranges::count(found, "handshakes_lost", &Finding::name) != 0;
    EXPECT_EQ(lost, stage == AW_STAGE_SYN) << stage;
  }
}

TEST(Refusals, AnOldConnectionHasItsStateAndAge) {
  Facts facts = refused(AW_OLD_CONNECTION, AW_STAGE_SYN);
  facts.refusals[AW_OLD_CONNECTION].old_connection = OldConnection{1, 90.5};
  const auto found = judge(facts, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].what.find("established, silent for 90.5 s"), std::string::npos)
      << found[0].what;
}

Finding finding_for(const Facts& facts) {
  const auto found = judge(facts, {});
  return found.empty() ? Finding{} : found.front();
}

struct Told {
  aw_reason reason;
  const char* what;   ///< in the sentence
  const char* advice; ///< in the advice
};

TEST(Refusals, EachHasASentenceAndAdviceThatNamesWhatToLookAt) {
  constexpr Told all[] = {
      {AW_NETFILTER_QUEUE, "no program reads", "nfnetlink_queue"},
      {AW_XDP, "XDP program on eth7 dropped 3 SYNs", "bpftool net show dev eth7"},
      {AW_CGROUP_PROGRAM, "BPF program of the cgroup", "/system.slice/java.service"},
      {AW_SOCKET_FILTER, "own socket filter", "ss -ltb"},
      {AW_NOT_LOCAL, "not this host's", "ip link show dev eth7"},
      {AW_ROUTE_LOCALNET, "loopback address", "net.ipv4.conf.eth7.route_localnet=1"},
      {AW_NO_ROUTE, "no route back", "ip route get 192.0.2.9"},
      {AW_NEIGHBOUR, "no neighbour", "ip neigh show dev eth7"},
      {AW_CHECKSUM, "wrong checksum", "ethtool -K"},
      {AW_CPU_BACKLOG, "backlog of a CPU", "netdev_max_backlog"},
      {AW_TIMESTAMPS, "timestamps", "middlebox"},
      {AW_WINDOW, "outside of the window", "sequence numbers"},
      {AW_AUTHENTICATION, "MD5/AO signature", "keys of both ends"},
      {AW_SECURITY_MODULE, "security module refused 3 SYNs", "ausearch"},
      {AW_MEMORY, "no memory", "vm.min_free_kbytes"},
      {AW_COOKIE_INVALID, "no valid cookie", "forged"},
  };
  for (const auto& [reason, what, advice] : all) {
    Facts facts = refused(reason, AW_STAGE_SYN);
    facts.owner->cgroup = "/system.slice/java.service";
    const Finding finding = finding_for(facts);
    EXPECT_NE(finding.what.find(what), std::string::npos) << finding.what;
    EXPECT_NE(finding.advice.find(advice), std::string::npos) << finding.advice;
  }
}

TEST(Refusals, WhatIsNotKnownHasAPlaceInTheAdvice) {
  Facts facts = refused(AW_REVERSE_PATH, AW_STAGE_SYN);
  facts.refusals.clear();
  const Finding finding = finding_for(facts);
  EXPECT_NE(finding.what.find("of a device dropped 3 packets"), std::string::npos) << finding.what;
  EXPECT_NE(finding.advice.find("ip route get CLIENT"), std::string::npos) << finding.advice;
  EXPECT_NE(finding.advice.find("net.ipv4.conf.DEV.rp_filter"), std::string::npos);
}

TEST(Refusals, AnOldConnectionThatWaitsIsOneOfTheClientsPorts) {
  Facts facts = refused(AW_OLD_CONNECTION, AW_STAGE_SYN);
  facts.refusals[AW_OLD_CONNECTION].old_connection = OldConnection{6, {}};
  EXPECT_NE(finding_for(facts).advice.find("state time-wait dst 192.0.2.9"), std::string::npos);
  facts.refusals[AW_OLD_CONNECTION].old_connection = OldConnection{1, {}};
  EXPECT_NE(finding_for(facts).advice.find("ss -tnp dst 192.0.2.9"), std::string::npos);
}

TEST(Refusals, WhatTheKernelNamesItselfIsExplainedWhereItIsKnown) {
  constexpr std::pair<const char*, const char*> all[] = {
      {"XFRM_POLICY", "ip xfrm policy"},
      {"PFMEMALLOC", "short of memory"},
      {"IP_LOCAL_SOURCE", "192.0.2.9, is one of this host's own"},
      {"SOMETHING_NEW", "enum skb_drop_reason"},
      {"", "enum skb_drop_reason"}};
  for (const auto& [reason, advice] : all) {
    Facts facts = refused(AW_OTHER, AW_STAGE_SYN);
    facts.kernel_reason = reason;
    EXPECT_NE(finding_for(facts).advice.find(advice), std::string::npos) << reason;
  }
}

} // namespace
} // namespace acceptwatch
