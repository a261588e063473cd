// SPDX-License-Identifier: Apache-2.0
// What a plan says that it cannot see.
#include "events/names.h"
#include "kernel/plan.h"
#include "support/kernels.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>

namespace acceptwatch {
namespace {

using namespace unit;
using Spots = std::set<std::string>;

bool is_ack_before_its_socket(const BlindSpot& spot) {
  return spot.action == AW_LISTEN_DROP && spot.stage == AW_STAGE_ACK &&
         (spot.reason == AW_TRAFFIC_CONTROL || spot.reason == AW_XDP ||
          spot.reason == AW_CPU_BACKLOG);
}

/// "listen_drop/accept_queue_full@ack: client.address"
Spots spots_of(const Plan& plan) {
  Spots spots;
  for (const auto& spot : plan.blind) {
    EXPECT_FALSE(spot.why.empty()) << "a blind spot must say why";
    if (is_ack_before_its_socket(spot))
      continue; // wherever drop reasons can be read: it has a test of its own
    spots.insert(fmt::format("{}/{}@{}:{}", name_of(spot.action), name_of(spot.reason),
                             name_of(spot.stage), spot.field));
  }
  return spots;
}

Spots blind_on(const Features& features, std::optional<aw_source> wanted = std::nullopt) {
  const auto plan = make_plan(features, wanted);
  EXPECT_TRUE(plan);
  return plan ? spots_of(*plan) : Spots{};
}

const Spots no_cookies{"listen_drop/@:acceptwatch.socket",
                       "syncookie_sent/@:acceptwatch.socket",
                       "synack_retransmit/@:acceptwatch.socket",
                       "reset_sent/@:acceptwatch.socket",
                       "handshake_expired/@:acceptwatch.socket",
                       "reset_received/@:acceptwatch.socket",
                       "listener_opened/@:acceptwatch.socket",
                       "listener_closed/@:acceptwatch.socket",
                       "accept_stalled/@:acceptwatch.socket",
                       "queue_pressure/@:acceptwatch.socket",
                       "finding/@:acceptwatch.socket"};

Spots operator+(Spots a, const Spots& b) {
  a.insert(b.begin(), b.end());
  return a;
}

/// The packet hook runs before them, and no tracepoint is in the request's timer.
const Spots tracepoints_blind{"listen_drop/request_failed@syn:",
                              "listen_drop/request_failed@ack:",
                              "listen_drop/no_route@syn:",
                              "listen_drop/memory@syn:",
                              "listen_drop/security_module@syn:",
                              "handshake_expired/@:",
                              "reset_sent/firewall@:",
                              "reset_sent/listener_closed@ack:"};
const Spots no_drop_reasons{"listen_drop/firewall@:",        "listen_drop/socket_filter@:",
                            "listen_drop/authentication@:",  "listen_drop/netfilter_queue@:",
                            "listen_drop/traffic_control@:", "listen_drop/xdp@:",
                            "listen_drop/cgroup_program@:",  "listen_drop/reverse_path@:",
                            "listen_drop/not_local@:",       "listen_drop/route_localnet@:",
                            "listen_drop/neighbour@:",       "listen_drop/checksum@:",
                            "listen_drop/cpu_backlog@:",     "listen_drop/old_connection@:",
                            "listen_drop/timestamps@:",      "listen_drop/window@:"};
/// And 6.1 has no reason for what comes to a loopback address.
const Spots no_dropped_acks{"listen_drop/socket_filter@ack:",
                            "listen_drop/authentication@ack:",
                            "listen_drop/cgroup_program@syn:",
                            "listen_drop/timestamps@:",
                            "listen_drop/window@:",
                            "listen_drop/old_connection@:",
                            "listen_drop/route_localnet@:"};
/// Before 6.10 the tracepoint knows full sockets only.
const Spots no_reset_of_remains{"reset_sent/other@syn:"};
const Spots no_expiry{"handshake_expired/@:"};
const Spots no_stacks{"listen_drop/accept_queue_full@:acceptwatch.owner_state.stacks",
                      "accept_stalled/@:acceptwatch.owner_state.stacks"};
const Spots no_looks{"accept_stalled/@:"};
const Spots no_request_resets{"reset_received/handshake@:"};
const Spots no_ack_stage{"listen_drop/@ack:", "listen_drop/@cookie:"};
const Spots no_ack_overflow{"listen_drop/accept_queue_full@ack:",
                            "listen_drop/accept_queue_full@cookie:"};

const Spots no_chains_of_drops{"listen_drop/firewall@:acceptwatch.netfilter.table",
                               "listen_drop/firewall@:acceptwatch.netfilter.chain"};
const Spots no_chains_of_resets{"reset_sent/firewall@:acceptwatch.netfilter.table",
                                "reset_sent/firewall@:acceptwatch.netfilter.chain"};

/// No module may refuse a request: its hook is left out.
const Spots no_memory{"listen_drop/memory@syn:"};

TEST(BlindSpots, AreLackOfMemoryAloneWithFunctionTracingOnRecentKernels) {
  for (auto features : {kernel_6_12(), kernel_7_2()}) {
    EXPECT_EQ(blind_on(features, AW_SOURCE_FENTRY), no_memory) << features.kernel_release;
    EXPECT_EQ(blind_on(features, AW_SOURCE_KPROBE), no_memory) << features.kernel_release;
    features.security_modules = "selinux";
    EXPECT_EQ(blind_on(features), Spots{}) << features.kernel_release;
  }
}

TEST(BlindSpots, AreAcksThatHaveNotMetTheirSocketWhereverDropsHaveReasons) {
  const auto acks = [](const Features& features) {
    return std::ranges::count_if(make_plan(features, std::nullopt)->blind,
                                 is_ack_before_its_socket);
  };
  for (const auto& features : {kernel_6_1(), kernel_6_12(), kernel_6_18(), kernel_7_2()})
    EXPECT_EQ(acks(features), 3) << features.kernel_release;
  EXPECT_EQ(acks(kernel_5_10()), 0); // there no packet of these is seen
}

TEST(BlindSpots, Of61AreAcksThatSomethingElseThanAQueueRefused) {
  EXPECT_EQ(blind_on(kernel_6_1()), no_dropped_acks + no_memory);
}

TEST(BlindSpots, Of510AreSocketCookiesDropReasonsAndExpiry) {
  const Spots expected = no_cookies + no_drop_reasons + no_chains_of_resets;
  EXPECT_EQ(blind_on(kernel_5_10()), expected + no_expiry);
  EXPECT_EQ(blind_on(kernel_5_10(), AW_SOURCE_KPROBE), expected);
}

TEST(BlindSpots, OfTracepointsOn618AreRequestsThatFailed) {
  EXPECT_EQ(blind_on(kernel_6_18()), tracepoints_blind + no_chains_of_drops);
}

TEST(BlindSpots, WithoutTheFunctionOfOrphansAreTheirResets) {
  Features features = kernel_6_12();
  features.arguments.erase("inet_csk_reqsk_queue_drop_and_put");
  EXPECT_EQ(blind_on(features), no_memory + Spots{"reset_sent/listener_closed@ack:"});
}

TEST(BlindSpots, OfTracepointsOn61AreOverflowsAtTheAck) {
  EXPECT_EQ(blind_on(kernel_6_1(), AW_SOURCE_TRACEPOINT),
            tracepoints_blind + no_ack_overflow + no_request_resets + no_dropped_acks +
                no_reset_of_remains + no_chains_of_drops);
}

TEST(BlindSpots, OfTracepointsOn510AreResetsWithoutListenerToo) {
  EXPECT_EQ(blind_on(kernel_5_10(), AW_SOURCE_TRACEPOINT),
            tracepoints_blind + no_ack_overflow + no_request_resets + no_drop_reasons + no_cookies +
                no_reset_of_remains + Spots{"reset_sent/no_listener@:"});
}

TEST(BlindSpots, WithoutThePacketHookAreTheQueuesAtTheSyn) {
  auto features = kernel_6_18();
  features.cgroup_skb = fails(EPERM);
  const auto plan = make_plan(features, std::nullopt);
  ASSERT_TRUE(plan);
  EXPECT_EQ(
      spots_of(*plan),
      (tracepoints_blind + no_chains_of_drops +
       Spots{"listen_drop/accept_queue_full@syn:", "listen_drop/syn_queue_full@syn:",
             "listen_drop/syn_backlog_reserved@syn:", "syncookie_sent/@:", "queue_pressure/@:"}));
  const auto spot = std::ranges::find(plan->blind, AW_QUEUE_PRESSURE, &BlindSpot::action);
  ASSERT_NE(spot, plan->blind.end());
  EXPECT_NE(spot->remedy.find("CAP_NET_ADMIN"), std::string::npos);
}

TEST(BlindSpots, WithoutCgroup2TellHowToMountIt) {
  auto features = kernel_6_18();
  features.cgroup_mount.reset();
  features.cgroup_skb = {};
  const auto plan = make_plan(features, std::nullopt);
  ASSERT_TRUE(plan);
  const auto spot = std::ranges::find(plan->blind, AW_QUEUE_PRESSURE, &BlindSpot::action);
  ASSERT_NE(spot, plan->blind.end());
  EXPECT_NE(spot->why.find("cgroup2"), std::string::npos);
  EXPECT_NE(spot->remedy.find("mount"), std::string::npos);
}

TEST(BlindSpots, OfAnXdpProgramInADriverAreItsDrops) {
  auto features = kernel_6_18();
  features.driver_xdp.devices = {"eth0", "eth1"};
  EXPECT_EQ(blind_on(features),
            tracepoints_blind + no_chains_of_drops + Spots{"listen_drop/xdp@syn:"});
  const auto plan = make_plan(features, std::nullopt);
  EXPECT_NE(plan->blind.back().why.find("eth0, eth1"), std::string::npos);
  for (const bool known : {true, false}) {
    features.driver_xdp = {{}, known, known};
    EXPECT_EQ(blind_on(features),
              tracepoints_blind + no_chains_of_drops + Spots{"listen_drop/xdp@syn:"});
  }
}

TEST(BlindSpots, OfAPrototypeThatNobodyLookedAtAreTheAckStage) {
  auto features = kernel_6_12();
  features.arguments["tcp_v4_syn_recv_sock"] = features.arguments["tcp_v6_syn_recv_sock"] = 8;
  for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE}) {
    const auto plan = make_plan(features, tier);
    ASSERT_TRUE(plan);
    EXPECT_EQ(spots_of(*plan), no_ack_stage + no_memory);
    EXPECT_EQ(plan->config.syn_recv_sock_args, 0);
    for (const auto& program : plan->programs)
      EXPECT_EQ(program.find("syn_recv_sock"), std::string::npos) << program;
  }
}

TEST(BlindSpots, OfAnIpv6PrototypeThatNobodyLookedAtAreSaidToo) {
  auto features = kernel_6_12();
  features.arguments["tcp_v6_syn_recv_sock"] = 8;
  const auto plan = make_plan(features, AW_SOURCE_FENTRY);
  ASSERT_TRUE(plan);
  for (const auto& program : plan->programs)
    ASSERT_NE(program, "v6_syn_recv_sock_return");
  EXPECT_FALSE(plan->blind.empty()) << "IPv6's last ACKs are not watched, and nothing says so";
}

TEST(BlindSpots, OfAResetFunctionThatIsMissingAreItsResets) {
  auto features = kernel_6_1();
  features.arguments.erase("tcp_v4_send_reset"); // inlined
  EXPECT_EQ(blind_on(features), no_dropped_acks + no_memory + Spots{"reset_sent/no_listener@:"});
}

TEST(BlindSpots, WithoutATaskIteratorAreStacks) {
  auto features = kernel_7_2();
  features.task_stack = fails(EINVAL);
  EXPECT_EQ(blind_on(features), no_memory + no_stacks);
  const auto plan = make_plan(features, std::nullopt);
  EXPECT_FALSE(plan->show_stacks);
  EXPECT_NE(plan->blind[0].why.find("refused: Invalid argument"), std::string::npos);
}

TEST(BlindSpots, WhereNfTablesCannotBeLookedUpAreItsChains) {
  auto features = kernel_6_12();
  features.cap_sys_admin = false;
  EXPECT_EQ(blind_on(features), no_memory + no_chains_of_drops + no_chains_of_resets);
  features.netfilter->is_module = false;
  EXPECT_EQ(blind_on(features), no_memory);
  EXPECT_TRUE(make_plan(features, std::nullopt)->netfilter);
  features.netfilter.reset();
  EXPECT_EQ(blind_on(features), no_memory + no_chains_of_drops + no_chains_of_resets);
  EXPECT_FALSE(make_plan(features, std::nullopt)->netfilter);
}

TEST(BlindSpots, WithoutTypedProgramsAreSocketCookies) {
  EXPECT_EQ(blind_on(with_btf_file(kernel_6_1())), no_cookies + no_dropped_acks + no_looks +
                                                       no_stacks + no_chains_of_drops +
                                                       no_chains_of_resets);
}

TEST(BlindSpots, OfPacketsThatCannotBeReadAreTheirFields) {
  Spots expected = no_cookies + no_drop_reasons + no_expiry + no_looks;
  for (const char* event :
       {"listen_drop/@syn", "syncookie_sent/@", "reset_sent/abort_on_overflow@",
        "reset_sent/handshake_invalid@", "reset_sent/no_listener@",
        "reset_sent/listener_closed@ack", "reset_sent/other@syn", "listen_drop/cookie_invalid@"}) {
    for (const char* field : {"client.address", "client.port", "server.address", "network.type"})
      expected.insert(fmt::format("{}:{}", event, field));
  }
  expected.merge(Spots{
      "reset_sent/no_listener@:server.port", "reset_sent/no_listener@:server.nat",
      "reset_sent/listener_closed@ack:server.port", "synack_retransmit/ack_dropped@:event.reason",
      "handshake_expired/ack_dropped@:event.reason", "reset_sent/other@syn:server.port",
      "reset_sent/other@syn:process", "reset_sent/other@syn:acceptwatch.owners",
      "reset_sent/firewall@:", "listener_closed/@:event.reason",
      "listener_closed/@:acceptwatch.closed_by"});
  // A new name of a process is raw bytes too.
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    if (action != AW_CLOSED_AFTER_ACCEPT)
      expected.insert(fmt::format("{}/@:process.name", name_of(static_cast<aw_action>(action))));
  }
  EXPECT_EQ(blind_on(locked_down(kernel_5_10())), expected);
}

TEST(BlindSpots, OfThreadsThatCannotBeReadIsThatTheirProcessFailed) {
  const auto plan = make_plan(locked_down(kernel_5_10()), std::nullopt, true).value();
  EXPECT_EQ(std::ranges::count(plan.blind, AW_PROCESS_FAILED, &BlindSpot::reason), 1);
  for (const char* field : {"process.name", "acceptwatch.socket"})
    EXPECT_TRUE(std::ranges::any_of(plan.blind, [&](const BlindSpot& spot) {
      return spot.action == AW_CLOSED_AFTER_ACCEPT && spot.field == field;
    })) << field;
}

TEST(BlindSpots, OfPacketsDoNotCountWhereTheHookIsGivenThem) {
  const auto spots = blind_on(locked_down(kernel_5_10()), AW_SOURCE_TRACEPOINT);
  EXPECT_FALSE(spots.contains("listen_drop/@syn:client.address"));
  EXPECT_TRUE(spots.contains("reset_sent/no_listener@:client.address"));
}

TEST(BlindSpots, OfPacketsAreNoneWhereACastReadsThem) {
  EXPECT_EQ(blind_on(locked_down(kernel_6_12())),
            no_memory + no_chains_of_drops + no_chains_of_resets);
}

TEST(BlindSpots, OfPollAreEventsAndFields) {
  const auto spots = blind_on(kernel_6_12(), AW_SOURCE_POLL);
  for (const char* spot : {"synack_retransmit/@:", "reset_sent/@:", "listen_drop/@:client.address",
                           "listen_drop/@:client.port", "listen_drop/@:server.address",
                           "listen_drop/@:acceptwatch.stage"})
    EXPECT_TRUE(spots.contains(spot)) << spot;
}

/// It reads ListenOverflows, TCPReqQFullDrop and SyncookiesSent, nothing else.
TEST(BlindSpots, OfPollAreReasonsThatNoCounterNames) {
  const auto spots = blind_on(kernel_6_12(), AW_SOURCE_POLL);
  for (const char* spot :
       {"listen_drop/syn_backlog_reserved@:", "listen_drop/request_failed@:",
        "listen_drop/cookie_invalid@:", "listen_drop/firewall@:", "handshake_expired/@:",
        "reset_received/@:", "syncookie_sent/@:client.address"})
    EXPECT_TRUE(spots.contains(spot)) << spot;
}

} // namespace
} // namespace acceptwatch
