// SPDX-License-Identifier: Apache-2.0
#include "kernel/plan.h"

#include "support/kernels.h"

#include <algorithm>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>

namespace acceptwatch {
namespace {

using namespace unit;
using Names = std::vector<std::string>;

Plan plan_of(const Features& features, std::optional<aw_source> wanted = std::nullopt) {
  const auto plan = make_plan(features, wanted);
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().what);
  return plan.value_or(Plan{});
}

Names followed_by_lifecycle(Names names) {
  names.insert(names.end(), {"retransmit_synack", "send_reset", "receive_reset", "process_fork",
                             "process_exec", "process_rename", "process_exit"});
  return names;
}

const Names listener_programs{"listen_started", "listen_started_again", "listen_started_at_last",
                              "listen_stopped", "listen_stopped_again", "listen_stopped_at_last",
                              "accept_entered", "accept_left",          "accepted"};

Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool has(const Plan& plan, const char* program) {
  return std::find(plan.programs.begin(), plan.programs.end(), program) != plan.programs.end();
}

TEST(Plan, Of510UsesFentryAndResetFunctions) {
  const auto plan = plan_of(kernel_5_10());
  EXPECT_EQ(plan.tier, AW_SOURCE_FENTRY);
  EXPECT_EQ(plan.programs,
            followed_by_lifecycle(Names{"conn_request_return", "make_synack", "v4_cookie_made",
                                        "v6_cookie_made", "conn_request", "child_discarded",
                                        "v4_syn_recv_sock_return", "v6_syn_recv_sock_return",
                                        "request_dropped", "icmp_error", "request_orphaned",
                                        "security_asked", "v4_send_reset", "v6_send_reset",
                                        "netfilter_answer"} +
                                  listener_programs));
  EXPECT_EQ(plan.config.syn_full_at_limit, 1);
  EXPECT_EQ(plan.config.listen_start_args, 2);
  EXPECT_EQ(plan.config.can_make_cookies, 0);
  EXPECT_TRUE(plan.seed_by_iterator);
  EXPECT_TRUE(plan.seed_by_probe_reads); // bpf_sock_from_file() came with 5.11
}

TEST(Plan, Of61MakesCookiesAndSeedsByIterator) {
  const auto plan = plan_of(kernel_6_1());
  EXPECT_EQ(plan.tier, AW_SOURCE_FENTRY);
  EXPECT_TRUE(has(plan, "v4_send_reset"));
  EXPECT_EQ(plan.config.syn_full_at_limit, 0);
  EXPECT_EQ(plan.config.can_make_cookies, 1);
  EXPECT_TRUE(plan.seed_by_iterator);
  EXPECT_FALSE(plan.seed_by_probe_reads);
  EXPECT_FALSE(plan.give_cookies); // typed programs make their own
}

TEST(Plan, Of612LeavesResetsToTheTracepoint) {
  const auto plan = plan_of(kernel_6_12());
  EXPECT_EQ(plan.programs,
            followed_by_lifecycle(Names{"skb_drop", "conn_request_return", "v4_cookie_made",
                                        "v6_cookie_made", "conn_request", "child_discarded",
                                        "v4_syn_recv_sock_return", "v6_syn_recv_sock_return",
                                        "request_dropped", "icmp_error", "request_timer_end",
                                        "request_timeout", "request_orphaned", "netfilter_answer"} +
                                  listener_programs));
  EXPECT_EQ(plan.config.counter_access, plan.config.packet_access);
  EXPECT_EQ(plan.config.sees_dropped_requests, 1);
  EXPECT_EQ(plan.config.send_reset_args, 3);
  EXPECT_EQ(plan.config.kfree_skb_args, 4);
  EXPECT_EQ(plan.config.syn_recv_sock_args, 6);
}

TEST(Plan, Of618WithoutFentryAndKprobesUsesTracepoints) {
  const auto plan = plan_of(kernel_6_18());
  EXPECT_EQ(plan.tier, AW_SOURCE_TRACEPOINT);
  EXPECT_EQ(plan.programs, followed_by_lifecycle({"skb_drop", "set_state_at_last", "syn_consumed",
                                                  "syn_refused", "ingress"}));
  EXPECT_EQ(plan.cgroup_mount, "/sys/fs/cgroup");
}

TEST(Plan, WatchesListenThriceWhereTracepointsCanBePreempted) {
  const auto programs = plan_of(kernel_7_2(), AW_SOURCE_TRACEPOINT).programs;
  for (const char* name : {"set_state", "set_state_again", "set_state_at_last"})
    EXPECT_EQ(std::ranges::count(programs, name), 1) << name;
}

TEST(Plan, Of72HooksNothingThatItsDropReasonsTell) {
  const auto plan = plan_of(kernel_7_2());
  EXPECT_EQ(plan.tier, AW_SOURCE_FENTRY);
  EXPECT_EQ(plan.programs,
            followed_by_lifecycle(Names{"skb_drop", "conn_request_return", "v4_cookie_made",
                                        "v6_cookie_made", "conn_request", "child_discarded",
                                        "icmp_error", "request_timer_end", "request_timeout",
                                        "request_orphaned", "netfilter_answer"} +
                                  listener_programs));
  EXPECT_EQ(plan.config.syn_recv_sock_args, 0);
  EXPECT_EQ(plan.drop_classes[40], AW_DROP_OVERFLOW);
}

TEST(Plan, PassesTheSeventhArgumentOn) {
  auto features = kernel_6_12();
  features.arguments["tcp_v4_syn_recv_sock"] = features.arguments["tcp_v6_syn_recv_sock"] = 7;
  EXPECT_EQ(plan_of(features).config.syn_recv_sock_args, 7);
}

TEST(Plan, WithoutReadableCountersWatchesSynAcksAndTheSecurityModule) {
  for (auto change : std::initializer_list<void (*)(Features&)>{
           [](Features& f) { f.listen_drops.reset(); }, [](Features& f) { f.no_routes.reset(); },
           [](Features& f) { f.syn_floods.reset(); },
           [](Features& f) { f.this_cpu_off = false; }}) {
    auto features = kernel_7_2();
    change(features);
    const auto plan = plan_of(features);
    EXPECT_EQ(plan.config.counter_access, AW_PACKETS_UNREADABLE);
    EXPECT_TRUE(has(plan, "make_synack"));
    EXPECT_TRUE(has(plan, "security_asked"));
  }
}

TEST(Plan, OfKprobesSeesRequestsExpireOnEveryKernel) {
  for (const auto& features : {kernel_5_10(), kernel_6_1(), kernel_7_2()})
    EXPECT_TRUE(has(plan_of(features, AW_SOURCE_KPROBE), "request_timer_end"));
  EXPECT_TRUE(has(plan_of(kernel_6_1()), "request_expired")); // cannot follow the pointer
}

TEST(Plan, WithoutFentryUsesKprobesWithTheirEntries) {
  auto features = kernel_6_1();
  features.fentry = fails(EBUSY);
  const auto plan = plan_of(features);
  EXPECT_EQ(plan.tier, AW_SOURCE_KPROBE);
  EXPECT_EQ(plan.programs,
            followed_by_lifecycle(
                {"skb_drop_reason",         "conn_request_return", "v4_cookie_made",
                 "v6_cookie_made",          "conn_request",        "child_discarded",
                 "v4_syn_recv_sock_return", "v4_syn_recv_sock",    "v6_syn_recv_sock_return",
                 "v6_syn_recv_sock",        "request_dropped",     "icmp_error",
                 "request_timer_end",       "request_timeout",     "request_orphaned",
                 "v4_send_reset",           "v6_send_reset",       "netfilter_answer",
                 "listen_started",          "listen_start",        "listen_stopped"}));
  EXPECT_FALSE(plan.give_cookies); // a typed program at listen() would
  EXPECT_TRUE(plan_of(kernel_6_1(), AW_SOURCE_KPROBE).give_cookies);
}

TEST(Plan, WithoutNfCtAttachDoesNotSeeNetfiltersResets) {
  auto features = kernel_7_2();
  features.arguments.erase("nf_ct_attach");
  const auto plan = plan_of(features);
  EXPECT_FALSE(has(plan, "netfilter_answer"));
  EXPECT_TRUE(std::ranges::any_of(plan.blind, [](const BlindSpot& spot) {
    return spot.action == AW_RESET_SENT && spot.reason == AW_FIREWALL;
  }));
}

TEST(Plan, AttachesTheEndOfABracketBeforeItsBeginning) {
  for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE}) {
    const auto names = plan_of(kernel_6_12(), tier).programs;
    const auto at = [&](const char* name) { return std::find(names.begin(), names.end(), name); };
    EXPECT_LT(at("conn_request_return"), at("conn_request"));
    EXPECT_LT(at("v4_syn_recv_sock_return"), at("v4_syn_recv_sock"));
  }
}

TEST(Plan, OfEachTierIsStampedWithIt) {
  for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
    const auto plan = plan_of(kernel_6_12(), tier);
    EXPECT_EQ(plan.tier, tier);
    EXPECT_EQ(plan.config.source, tier);
    EXPECT_NE(plan.config.actions, 0U);
  }
}

TEST(Plan, NeverNamesAProgramTwice) {
  for (const auto& features : {kernel_5_10(), kernel_6_1(), kernel_6_12(), kernel_7_2()}) {
    for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
      auto names = plan_of(features, tier).programs;
      std::sort(names.begin(), names.end());
      EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    }
  }
}

TEST(Plan, LockedDown510CannotReadPackets) {
  const auto plan = plan_of(locked_down(kernel_5_10()));
  EXPECT_EQ(plan.tier, AW_SOURCE_FENTRY);
  EXPECT_EQ(plan.config.packet_access, AW_PACKETS_UNREADABLE);
}

TEST(Plan, LockedDown612ReadsPacketsByCast) {
  const auto plan = plan_of(locked_down(kernel_6_12()));
  EXPECT_EQ(plan.tier, AW_SOURCE_FENTRY);
  EXPECT_EQ(plan.config.packet_access, AW_PACKETS_CAST);
}

TEST(Plan, ReadsPacketsByProbeReadWhereThereIsNoCast) {
  for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
    EXPECT_EQ(plan_of(kernel_6_1(), tier).config.packet_access, AW_PACKETS_PROBE_READ);
    EXPECT_EQ(plan_of(kernel_6_12(), tier).config.packet_access, AW_PACKETS_CAST);
  }
}

TEST(Plan, ABtfFileHasNoNumberForTheCast) {
  const auto plan = plan_of(with_btf_file(kernel_6_12()));
  EXPECT_EQ(plan.tier, AW_SOURCE_KPROBE);
  EXPECT_EQ(plan.config.packet_access, AW_PACKETS_PROBE_READ);
}

TEST(Plan, WithABtfFileUsesKprobesWithoutCookiesOrIterator) {
  const auto plan = plan_of(with_btf_file(kernel_6_1()));
  EXPECT_EQ(plan.tier, AW_SOURCE_KPROBE);
  EXPECT_EQ(plan.config.can_make_cookies, 0);
  EXPECT_FALSE(plan.give_cookies);
  EXPECT_FALSE(plan.seed_by_iterator);
}

TEST(Plan, OfTracepointsOn61SeesUnansweredSynsByDropReason) {
  const auto plan = plan_of(kernel_6_1(), AW_SOURCE_TRACEPOINT);
  EXPECT_TRUE(has(plan, "skb_drop_reason"));
  EXPECT_FALSE(has(plan, "skb_drop")); // no listener in kfree_skb before 6.11
  EXPECT_EQ(plan.drop_classes[2], AW_DROP_NO_SOCKET);
  EXPECT_EQ(plan.drop_classes[1], AW_DROP_NO_REASON);
}

TEST(Plan, OfTracepointsOn610NeedsNoDropReason) {
  auto features = kernel_6_1();
  features.arguments["tp:tcp_send_reset"] = 3;
  const auto plan = plan_of(features, AW_SOURCE_TRACEPOINT);
  EXPECT_EQ(plan.drop_classes[2], AW_DROP_IGNORED);
}

TEST(Plan, KnowsWhatTheKernelsDropReasonsMean) {
  const auto plan = plan_of(kernel_7_2());
  EXPECT_EQ(plan.drop_classes[5], AW_SOCKET_FILTER);
  EXPECT_EQ(plan.drop_classes[7], AW_FIREWALL);
  EXPECT_EQ(plan.drop_classes[14], AW_AUTHENTICATION);
  EXPECT_EQ(plan.drop_classes[97], AW_OTHER);
  EXPECT_EQ(plan.drop_classes[21], AW_DROP_IGNORED);    // TCP_FLAGS: fits no handshake
  EXPECT_EQ(plan.drop_classes[1], AW_DROP_UNSPECIFIED); // or nothing, on_refused_ack()
  EXPECT_EQ(plan_of(kernel_6_12()).drop_classes[1], AW_DROP_NO_REASON); // functions show it
}

TEST(Plan, ReadsWhatIsRefusedOnTheWayFromDropReasons) {
  auto features = kernel_7_2();
  features.drop_reasons = {{60, "SKB_DROP_REASON_TC_EGRESS"},
                           {61, "SKB_DROP_REASON_QDISC_OVERLIMIT"},
                           {62, "SKB_DROP_REASON_NEIGH_FAILED"},
                           {63, "SKB_DROP_REASON_IP_RPFILTER"},
                           {64, "SKB_DROP_REASON_TCP_INVALID_SYN"},
                           {65, "SKB_DROP_REASON_TCP_INVALID_SYNONYM"},
                           {66, "OTHERHOST"}};
  const auto plan = plan_of(features);
  EXPECT_EQ(plan.drop_classes[60], AW_TRAFFIC_CONTROL);
  EXPECT_EQ(plan.drop_classes[61], AW_TRAFFIC_CONTROL);
  EXPECT_EQ(plan.drop_classes[62], AW_NEIGHBOUR);
  EXPECT_EQ(plan.drop_classes[63], AW_REVERSE_PATH);
  EXPECT_EQ(plan.drop_classes[64], AW_OLD_CONNECTION);
  EXPECT_EQ(plan.drop_classes[65], AW_DROP_IGNORED);
  EXPECT_EQ(plan.drop_classes[66], AW_DROP_IGNORED);
}

TEST(Plan, IsBlindToRefusalsForWhichTheKernelHasNoReason) {
  auto features = kernel_7_2();
  std::erase_if(features.drop_reasons,
                [](const auto& reason) { return reason.second == "SKB_DROP_REASON_NEIGH_DEAD"; });
  const auto sees = [&](aw_reason reason) {
    const auto plan = plan_of(features);
    return std::ranges::none_of(plan.blind, [&](const BlindSpot& spot) {
      return spot.action == AW_LISTEN_DROP && spot.reason == reason &&
             spot.stage == AW_STAGE_NONE && spot.field.empty();
    });
  };
  EXPECT_FALSE(sees(AW_NEIGHBOUR));
  features.drop_reasons.emplace(62, "SKB_DROP_REASON_NEIGH_FAILED");
  EXPECT_TRUE(sees(AW_NEIGHBOUR));
  EXPECT_TRUE(sees(AW_FIREWALL));
  features.arguments["tp:kfree_skb"] = 2; // no reason
  EXPECT_FALSE(sees(AW_NEIGHBOUR));
  EXPECT_FALSE(sees(AW_FIREWALL));
}

TEST(Plan, OfTracepointsTakesDroppedAcksByTheirReason) {
  const auto named = plan_of(kernel_6_18());
  EXPECT_EQ(named.drop_classes[40], AW_DROP_OVERFLOW);
  EXPECT_EQ(named.drop_classes[1], AW_DROP_UNSPECIFIED);
  EXPECT_EQ(named.drop_classes[2], AW_DROP_NO_SOCKET);
  const auto unnamed = plan_of(kernel_6_12(), AW_SOURCE_TRACEPOINT);
  EXPECT_EQ(unnamed.drop_classes[1], AW_DROP_UNSPECIFIED);
}

TEST(Plan, LooksUpOnlyDropReasonsThatItsTableHolds) {
  auto features = kernel_7_2();
  features.drop_reasons.emplace(AW_MAX_DROP_REASONS, "SKB_DROP_REASON_NETFILTER_DROP");
  features.drop_reasons.emplace(-1, "SKB_DROP_REASON_NETFILTER_DROP");
  EXPECT_EQ(plan_of(features).drop_classes[7], AW_FIREWALL);
}

TEST(Plan, AsksTheSecurityModuleOnlyWhereOneMayRefuse) {
  auto features = kernel_7_2();
  EXPECT_EQ(plan_of(features).config.sees_security_module, 0);
  for (const char* module : {"capability,selinux", "smack,bpf"}) {
    features.security_modules = module;
    EXPECT_EQ(plan_of(features).config.sees_security_module, 1) << module;
  }
  features.security_modules = "capability,bpf";
  for (const auto& [attached, asked] :
       {std::pair<std::optional<bool>, int>{false, 0}, {true, 1}, {std::nullopt, 1}}) {
    features.lsm_program = attached;
    EXPECT_EQ(plan_of(features).config.sees_security_module, asked);
  }
  features.security_modules.reset(); // not known: better one hook too many
  EXPECT_EQ(plan_of(features).config.sees_security_module, 1);
  features.arguments.erase("security_inet_conn_request");
  EXPECT_EQ(plan_of(features).config.sees_security_module, 0);
}

TEST(Plan, OfTracepointsWithoutCgroup2HasNoPacketHook) {
  auto features = kernel_6_18();
  features.cgroup_mount.reset();
  features.cgroup_skb = {};
  const auto plan = plan_of(features);
  EXPECT_FALSE(has(plan, "ingress"));
  EXPECT_EQ(plan.cgroup_mount, "");
}

TEST(Plan, SynLimitThatCouldNotBeTriedIsThatOfNewKernels) {
  auto features = kernel_6_12();
  features.syn_full_at_limit.reset();
  EXPECT_EQ(plan_of(features).config.syn_full_at_limit, 0);
}

TEST(Plan, WithoutAnAcceptFunctionLeavesItsProgramOut) {
  auto features = kernel_6_12();
  features.arguments.erase("inet_csk_accept");
  EXPECT_FALSE(has(plan_of(features), "accepted"));
  EXPECT_FALSE(has(plan_of(features), "accept_left"));
}

TEST(Plan, WithoutAHookAfterAcceptCountsWhatBeginsLater) {
  auto features = kernel_6_12();
  features.arguments.erase("security_sock_graft");
  EXPECT_TRUE(has(plan_of(features), "accepted"));
  EXPECT_FALSE(has(plan_of(features), "accept_entered"));
}

using Object =
    std::unique_ptr<bpf_object, decltype([](bpf_object* object) { bpf_object__close(object); })>;

Object open_object(const char* name) {
  const auto path = fmt::format("{}/{}.bpf.o", BPF_OBJECTS, name);
  return Object{bpf_object__open_file(path.c_str(), nullptr)};
}

TEST(Plan, NamesOnlyProgramsThatItsObjectHas) {
  const Object direct = open_object("direct");
  const Object probe = open_object("probe");
  ASSERT_TRUE(direct && probe);
  for (const auto& features : {kernel_5_10(), kernel_6_1(), kernel_6_12(), kernel_7_2()}) {
    for (const aw_source tier : {AW_SOURCE_FENTRY, AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
      const auto& object = tier == AW_SOURCE_KPROBE ? probe : direct;
      for (const auto& name : plan_of(features, tier).programs)
        EXPECT_TRUE(bpf_object__find_program_by_name(object.get(), name.c_str())) << name;
    }
  }
}

bool is_blind_after_accept(const Plan& plan, std::string_view field) {
  return std::ranges::any_of(plan.blind, [&](const BlindSpot& spot) {
    return spot.action == AW_CLOSED_AFTER_ACCEPT && spot.field == field;
  });
}

TEST(Plan, WatchesWhatOwnersCloseAtOnceOnlyIfAskedTo) {
  const auto unasked = plan_of(kernel_6_12());
  EXPECT_FALSE(has(unasked, "after_accept"));
  EXPECT_EQ(unasked.config.after_accept, 0);
  EXPECT_FALSE(is_blind_after_accept(unasked, ""));
  const auto asked = make_plan(kernel_6_12(), std::nullopt, true).value();
  EXPECT_TRUE(has(asked, "after_accept"));
  EXPECT_EQ(asked.config.after_accept, 1);
  EXPECT_FALSE(is_blind_after_accept(asked, ""));
  EXPECT_FALSE(is_blind_after_accept(asked, "acceptwatch.early_close.seconds"));
}

TEST(Plan, WithoutAcceptSaysThatTimesCountFromTheHandshake) {
  for (const aw_source tier : {AW_SOURCE_KPROBE, AW_SOURCE_TRACEPOINT}) {
    const auto plan = make_plan(kernel_6_12(), tier, true).value();
    EXPECT_TRUE(has(plan, "after_accept"));
    EXPECT_TRUE(is_blind_after_accept(plan, "acceptwatch.early_close.seconds"));
  }
  EXPECT_TRUE(is_blind_after_accept(make_plan(kernel_6_12(), AW_SOURCE_POLL, true).value(), ""));
  auto without = kernel_6_12();
  without.arguments.erase("tp:inet_sock_set_state");
  EXPECT_TRUE(is_blind_after_accept(make_plan(without, std::nullopt, true).value(), ""));
  auto refused = kernel_6_12();
  refused.refused.emplace("after_accept", 7);
  EXPECT_TRUE(is_blind_after_accept(make_plan(refused, std::nullopt, true).value(), ""));
}

} // namespace
} // namespace acceptwatch
