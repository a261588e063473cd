// SPDX-License-Identifier: Apache-2.0
#include "events/names.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace acceptwatch {
namespace {

/// The names of the enumerators `first` .. `end` - 1.
template <typename Enum> std::set<std::string_view> names_between(int first, int end) {
  std::set<std::string_view> names;
  for (int value = first; value < end; ++value) {
    const auto name = name_of(static_cast<Enum>(value));
    EXPECT_FALSE(name.empty()) << value;
    EXPECT_NE(name, "unknown") << value;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), name.npos) << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(end - first)) << "two have one name";
  return names;
}

TEST(Names, OfActionsAreThoseOfTheContract) {
  EXPECT_EQ(names_between<aw_action>(AW_LISTEN_DROP, AW_NR_ACTIONS),
            (std::set<std::string_view>{"listen_drop", "syncookie_sent", "synack_retransmit",
                                        "reset_sent", "handshake_expired", "reset_received",
                                        "listener_opened", "listener_closed", "queue_pressure",
                                        "accept_stalled", "closed_after_accept", "finding"}));
}

TEST(Names, OfReasonsAreThoseOfTheContract) {
  EXPECT_EQ(names_between<aw_reason>(AW_ACCEPT_QUEUE_FULL, AW_NR_REASONS),
            (std::set<std::string_view>{"accept_queue_full",
                                        "unread",
                                        "reset",
                                        "unserved",
                                        "turned_away",
                                        "process_failed",
                                        "syn_queue_full",
                                        "syn_backlog_reserved",
                                        "request_failed",
                                        "always",
                                        "no_ack",
                                        "ack_dropped",
                                        "deferred",
                                        "no_listener",
                                        "abort_on_overflow",
                                        "listener_closed",
                                        "handshake_invalid",
                                        "cookie_invalid",
                                        "firewall",
                                        "socket_filter",
                                        "authentication",
                                        "security_module",
                                        "no_route",
                                        "memory",
                                        "netfilter_queue",
                                        "traffic_control",
                                        "xdp",
                                        "cgroup_program",
                                        "reverse_path",
                                        "not_local",
                                        "route_localnet",
                                        "neighbour",
                                        "checksum",
                                        "cpu_backlog",
                                        "old_connection",
                                        "timestamps",
                                        "window",
                                        "other",
                                        "handshake",
                                        "queued",
                                        "established",
                                        "closed",
                                        "exited",
                                        "killed",
                                        "shutdown"}));
}

TEST(Names, OfStagesAreThoseOfTheContract) {
  EXPECT_EQ(names_between<aw_stage>(AW_STAGE_SYN, AW_NR_STAGES),
            (std::set<std::string_view>{"syn", "synack", "ack", "cookie", "queued", "closed"}));
}

TEST(Names, OfSourcesAreThoseOfTheContract) {
  EXPECT_EQ(names_between<aw_source>(AW_SOURCE_FENTRY, AW_SOURCE_POLL + 1),
            (std::set<std::string_view>{"fentry", "kprobe", "tracepoint", "poll"}));
}

TEST(Names, OfHooksAreThoseOfTheContract) {
  EXPECT_EQ(names_between<aw_hook>(AW_HOOK_INGRESS, AW_NR_HOOKS),
            (std::set<std::string_view>{"ingress", "prerouting", "input", "forward", "output",
                                        "postrouting"}));
  EXPECT_EQ(name_of(AW_HOOK_INPUT), "input");
}

TEST(Names, BelongToTheirEnumerators) {
  EXPECT_EQ(name_of(AW_LISTENER_CLOSED), "listener_closed");
  EXPECT_EQ(name_of(AW_SYN_BACKLOG_RESERVED), "syn_backlog_reserved");
  EXPECT_EQ(name_of(AW_CLOSED_LISTENER), "listener_closed");
  EXPECT_EQ(name_of(AW_HANDSHAKE_INVALID), "handshake_invalid");
  EXPECT_EQ(name_of(AW_STAGE_COOKIE), "cookie");
  EXPECT_EQ(name_of(AW_SOURCE_TRACEPOINT), "tracepoint");
}

TEST(Names, OfNoneAreEmpty) {
  EXPECT_EQ(name_of(AW_ACTION_NONE), "");
  EXPECT_EQ(name_of(AW_REASON_NONE), "");
  EXPECT_EQ(name_of(AW_STAGE_NONE), "");
}

TEST(Names, PastTheEndAreUnknown) {
  EXPECT_EQ(name_of(AW_NR_ACTIONS), "unknown");
  EXPECT_EQ(name_of(AW_NR_REASONS), "unknown");
  EXPECT_EQ(name_of(AW_NR_STAGES), "unknown");
}

TEST(Names, OfActionsLeadBackToThem) {
  for (int value = AW_LISTEN_DROP; value < AW_NR_ACTIONS; ++value) {
    const auto action = static_cast<aw_action>(value);
    EXPECT_EQ(action_named(name_of(action)), action);
  }
}

TEST(Names, OfSourcesLeadBackToThem) {
  for (int value = AW_SOURCE_FENTRY; value <= AW_SOURCE_POLL; ++value) {
    const auto source = static_cast<aw_source>(value);
    EXPECT_EQ(source_named(name_of(source)), source);
  }
}

TEST(Names, ThatNobodyHasLeadNowhere) {
  for (const char* name : {"", "unknown", "Listen_Drop", "listen_drop ", "listen", "auto"}) {
    EXPECT_FALSE(action_named(name)) << '"' << name << '"';
    EXPECT_FALSE(source_named(name)) << '"' << name << '"';
  }
}

TEST(Phrases, FitTheLastColumnWhateverIsCombined) {
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    for (int reason = AW_REASON_NONE; reason < AW_NR_REASONS; ++reason) {
      for (int stage = AW_STAGE_NONE; stage < AW_NR_STAGES; ++stage) {
        const auto phrase = phrase_of(static_cast<aw_action>(action),
                                      static_cast<aw_reason>(reason), static_cast<aw_stage>(stage));
        EXPECT_FALSE(phrase.empty());
        EXPECT_NE(phrase, "unknown");
        EXPECT_LE(phrase.size(), 30U) << phrase;
      }
    }
  }
}

TEST(Phrases, TellTheAcceptQueuesPacketsApart) {
  const auto phrase = [](aw_stage stage) {
    return phrase_of(AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, stage);
  };
  EXPECT_EQ(phrase(AW_STAGE_SYN), "SYN dropped: accept queue full");
  EXPECT_EQ(phrase(AW_STAGE_ACK), "ACK dropped: accept queue full");
  EXPECT_EQ(phrase(AW_STAGE_COOKIE), "cookie ACK dropped: queue full");
  EXPECT_EQ(phrase(AW_STAGE_NONE), "dropped: accept queue full");
}

TEST(Phrases, DifferForEveryReasonOfAnAction) {
  const auto count = [](aw_action action, aw_stage stage,
                        std::initializer_list<aw_reason> reasons) {
    std::set<std::string_view> phrases;
    for (const aw_reason reason : reasons)
      phrases.insert(phrase_of(action, reason, stage));
    return reasons.size() - phrases.size();
  };
  EXPECT_EQ(count(AW_LISTEN_DROP, AW_STAGE_SYN,
                  {AW_ACCEPT_QUEUE_FULL,
                   AW_SYN_QUEUE_FULL,
                   AW_SYN_BACKLOG_RESERVED,
                   AW_REQUEST_FAILED,
                   AW_COOKIE_INVALID,
                   AW_FIREWALL,
                   AW_SOCKET_FILTER,
                   AW_AUTHENTICATION,
                   AW_SECURITY_MODULE,
                   AW_NO_ROUTE,
                   AW_MEMORY,
                   AW_NETFILTER_QUEUE,
                   AW_TRAFFIC_CONTROL,
                   AW_XDP,
                   AW_CGROUP_PROGRAM,
                   AW_REVERSE_PATH,
                   AW_NOT_LOCAL,
                   AW_ROUTE_LOCALNET,
                   AW_NEIGHBOUR,
                   AW_CHECKSUM,
                   AW_CPU_BACKLOG,
                   AW_OLD_CONNECTION,
                   AW_TIMESTAMPS,
                   AW_WINDOW,
                   AW_OTHER}),
            0U);
  EXPECT_EQ(count(AW_SYNCOOKIE_SENT, AW_STAGE_SYN, {AW_SYN_QUEUE_FULL, AW_ALWAYS}), 0U);
  EXPECT_EQ(count(AW_SYNACK_RETRANSMIT, AW_STAGE_ACK, {AW_NO_ACK, AW_ACK_DROPPED, AW_DEFERRED}),
            0U);
  EXPECT_EQ(count(AW_HANDSHAKE_EXPIRED, AW_STAGE_SYN, {AW_NO_ACK, AW_ACK_DROPPED, AW_DEFERRED}),
            0U);
  EXPECT_EQ(
      count(AW_RESET_RECEIVED, AW_STAGE_ACK, {AW_IN_HANDSHAKE, AW_WHEN_QUEUED, AW_WHEN_ACCEPTED}),
      0U);
  EXPECT_EQ(count(AW_RESET_SENT, AW_STAGE_ACK,
                  {AW_NO_LISTENER, AW_ABORT_ON_OVERFLOW, AW_CLOSED_LISTENER, AW_HANDSHAKE_INVALID,
                   AW_WHEN_ACCEPTED, AW_FIREWALL, AW_OTHER}),
            0U);
  EXPECT_NE(phrase_of(AW_RESET_SENT, AW_OTHER, AW_STAGE_SYN),
            phrase_of(AW_RESET_SENT, AW_OTHER, AW_STAGE_QUEUED));
}

TEST(EcsType, IsDeniedForWhatTheClientIsRefused) {
  EXPECT_EQ(ecs_type_of(AW_LISTEN_DROP, AW_REASON_NONE), "denied");
  EXPECT_EQ(ecs_type_of(AW_RESET_SENT, AW_REASON_NONE), "denied");
  EXPECT_EQ(ecs_type_of(AW_SYNCOOKIE_SENT, AW_REASON_NONE), "info");
  EXPECT_EQ(ecs_type_of(AW_SYNACK_RETRANSMIT, AW_REASON_NONE), "info");
  EXPECT_EQ(ecs_type_of(AW_HANDSHAKE_EXPIRED, AW_REASON_NONE), "denied");
  EXPECT_EQ(ecs_type_of(AW_RESET_RECEIVED, AW_REASON_NONE), "end");
  EXPECT_EQ(ecs_type_of(AW_LISTENER_OPENED, AW_REASON_NONE), "start");
  EXPECT_EQ(ecs_type_of(AW_LISTENER_CLOSED, AW_REASON_NONE), "end");
}

TEST(EcsType, IsEndForAConnectionThatWasAccepted) {
  EXPECT_EQ(ecs_type_of(AW_RESET_SENT, AW_WHEN_ACCEPTED), "end");
  EXPECT_EQ(ecs_type_of(AW_RESET_RECEIVED, AW_WHEN_ACCEPTED), "end");
}

} // namespace
} // namespace acceptwatch
