// SPDX-License-Identifier: Apache-2.0
#include "events/names.h"

#include <array>
#include <string>

namespace acceptwatch {
namespace {

constexpr std::array<std::string_view, AW_NR_ACTIONS> action_names{
    "",
    "listen_drop",
    "syncookie_sent",
    "synack_retransmit",
    "reset_sent",
    "handshake_expired",
    "reset_received",
    "listener_opened",
    "listener_closed",
    "closed_after_accept",
    "queue_pressure",
    "accept_stalled",
    "finding",
};

constexpr std::array<std::string_view, AW_NR_REASONS> reason_names{
    "",
    "accept_queue_full",
    "syn_queue_full",
    "syn_backlog_reserved",
    "request_failed",
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
    "always",
    "no_ack",
    "ack_dropped",
    "deferred",
    "no_listener",
    "abort_on_overflow",
    "listener_closed",
    "handshake_invalid",
    "handshake",
    "queued",
    "established",
    "closed",
    "exited",
    "killed",
    "shutdown",
    "unread",
    "reset",
    "unserved",
    "turned_away",
    "process_failed",
};

constexpr std::array<std::string_view, AW_NR_STAGES> stage_names{
    "", "syn", "synack", "ack", "cookie", "queued", "closed",
};

constexpr std::array<std::string_view, 5> source_names{
    "", "fentry", "kprobe", "tracepoint", "poll",
};

constexpr std::array<std::string_view, AW_NR_HOOKS> hook_names{
    "", "ingress", "prerouting", "input", "forward", "output", "postrouting",
};

template <typename Enum, typename Names>
std::optional<Enum> named(const Names& names, std::string_view name) {
  for (size_t i = 1; i < names.size(); ++i) {
    if (names[i] == name)
      return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <typename Names> std::string_view name_at(const Names& names, size_t index) {
  return index < names.size() ? names[index] : std::string_view{"unknown"};
}

std::string_view queue_drop_phrase(aw_reason reason, aw_stage stage) {
  switch (reason) {
  case AW_ACCEPT_QUEUE_FULL:
    return stage == AW_STAGE_SYN      ? "SYN dropped: accept queue full"
           : stage == AW_STAGE_ACK    ? "ACK dropped: accept queue full"
           : stage == AW_STAGE_COOKIE ? "cookie ACK dropped: queue full"
                                      : "dropped: accept queue full";
  case AW_SYN_QUEUE_FULL:
    return stage == AW_STAGE_SYN ? "SYN dropped: SYN queue full" : "dropped: SYN queue full";
  default:
    return "SYN dropped: reserved quarter";
  }
}

/// What refused a packet, in at most 16 characters.
std::string_view refusal_words(aw_reason reason) {
  switch (reason) {
  case AW_FIREWALL:
    return "firewall";
  case AW_SOCKET_FILTER:
    return "socket filter";
  case AW_AUTHENTICATION:
    return "MD5/AO signature";
  case AW_SECURITY_MODULE:
    return "security module";
  case AW_NO_ROUTE:
    return "no route back";
  case AW_MEMORY:
    return "no memory";
  case AW_NETFILTER_QUEUE:
    return "NFQUEUE not read";
  case AW_TRAFFIC_CONTROL:
    return "traffic control";
  case AW_XDP:
    return "XDP program";
  case AW_CGROUP_PROGRAM:
    return "cgroup's program";
  case AW_REVERSE_PATH:
    return "reverse path";
  case AW_NOT_LOCAL:
    return "not this host's";
  case AW_ROUTE_LOCALNET:
    return "route_localnet=0";
  case AW_NEIGHBOUR:
    return "no neighbour";
  case AW_CHECKSUM:
    return "wrong checksum";
  case AW_CPU_BACKLOG:
    return "CPU's backlog";
  case AW_OLD_CONNECTION:
    return "old connection";
  case AW_TIMESTAMPS:
    return "timestamps";
  case AW_WINDOW:
    return "out of window";
  case AW_OTHER:
    return "see reason";
  default:
    return {};
  }
}

std::string_view packet_words(aw_stage stage) {
  switch (stage) {
  case AW_STAGE_SYN:
    return "SYN dropped: ";
  case AW_STAGE_SYNACK:
    return "SYN-ACK lost: ";
  case AW_STAGE_ACK:
    return "ACK dropped: ";
  default:
    return "dropped: ";
  }
}

using RefusalPhrases = std::array<std::array<std::string, AW_NR_STAGES>, AW_NR_REASONS>;

RefusalPhrases refusal_phrases() {
  RefusalPhrases phrases;
  for (size_t reason = 0; reason < AW_NR_REASONS; ++reason) {
    const auto words = refusal_words(static_cast<aw_reason>(reason));
    for (size_t stage = 0; stage < AW_NR_STAGES && !words.empty(); ++stage)
      phrases[reason][stage] =
          std::string{packet_words(static_cast<aw_stage>(stage))}.append(words);
  }
  return phrases;
}

std::string_view drop_phrase(aw_reason reason, aw_stage stage) {
  static const RefusalPhrases refused = refusal_phrases();
  switch (reason) {
  case AW_ACCEPT_QUEUE_FULL:
  case AW_SYN_QUEUE_FULL:
  case AW_SYN_BACKLOG_RESERVED:
    return queue_drop_phrase(reason, stage);
  case AW_COOKIE_INVALID:
    return "ACK dropped: no valid cookie";
  default:
    break;
  }
  if (reason < AW_NR_REASONS && stage < AW_NR_STAGES && !refused[reason][stage].empty())
    return refused[reason][stage];
  return stage == AW_STAGE_SYN ? "SYN dropped: no request made" : "ACK dropped: no socket made";
}

std::string_view retransmit_phrase(aw_reason reason) {
  switch (reason) {
  case AW_ACK_DROPPED:
    return "SYN-ACK again: ACK dropped";
  case AW_DEFERRED:
    return "SYN-ACK again: deferred";
  default:
    return "SYN-ACK again: no ACK";
  }
}

std::string_view expiry_phrase(aw_reason reason) {
  switch (reason) {
  case AW_ACK_DROPPED:
    return "given up: ACKs were dropped";
  case AW_DEFERRED:
    return "given up: deferred, no data";
  default:
    return "given up: no ACK came";
  }
}

std::string_view end_phrase(aw_reason reason) {
  switch (reason) {
  case AW_EXITED:
    return "closed: exited";
  case AW_KILLED:
    return "closed: killed";
  case AW_SHUT_DOWN:
    return "closed: shutdown()";
  default:
    return "listener closed";
  }
}

std::string_view early_close_phrase(aw_reason reason) {
  switch (reason) {
  case AW_UNREAD:
    return "owner reset it: data unread";
  case AW_RESET:
    return "owner reset it";
  case AW_UNSERVED:
    return "owner closed it: unserved";
  case AW_TURNED_AWAY:
    return "owner wrote and closed it";
  default:
    return "owner failed, and it closed";
  }
}

std::string_view reset_phrase(aw_reason reason, aw_stage stage) {
  switch (reason) {
  case AW_NO_LISTENER:
    return "RST: nobody listens here";
  case AW_ABORT_ON_OVERFLOW:
    return "RST: accept queue full (abort)";
  case AW_CLOSED_LISTENER:
    return "RST: listener was closed";
  case AW_WHEN_ACCEPTED:
    return "RST: was accepted";
  case AW_FIREWALL:
    return "RST: the firewall rejects";
  case AW_OTHER:
    return stage == AW_STAGE_SYN ? "RST: old connection half open" : "RST: given up in the queue";
  default:
    return "RST: fits no handshake";
  }
}

} // namespace

std::string_view name_of(aw_action action) { return name_at(action_names, action); }
std::string_view name_of(aw_reason reason) { return name_at(reason_names, reason); }
std::string_view name_of(aw_stage stage) { return name_at(stage_names, stage); }
std::string_view name_of(aw_hook hook) { return name_at(hook_names, hook); }
std::string_view name_of(aw_source source) { return name_at(source_names, source); }

std::optional<aw_action> action_named(std::string_view name) {
  return named<aw_action>(action_names, name);
}

std::optional<aw_reason> reason_named(std::string_view name) {
  return named<aw_reason>(reason_names, name);
}

std::optional<aw_source> source_named(std::string_view name) {
  return named<aw_source>(source_names, name);
}

std::string_view phrase_of(aw_action action, aw_reason reason, aw_stage stage) {
  switch (action) {
  case AW_LISTEN_DROP:
    return drop_phrase(reason, stage);
  case AW_SYNCOOKIE_SENT:
    return reason == AW_ALWAYS ? "cookie sent: syncookies=2" : "cookie sent: SYN queue full";
  case AW_SYNACK_RETRANSMIT:
    return retransmit_phrase(reason);
  case AW_RESET_SENT:
    return reset_phrase(reason, stage);
  case AW_HANDSHAKE_EXPIRED:
    return expiry_phrase(reason);
  case AW_RESET_RECEIVED:
    return reason == AW_WHEN_QUEUED     ? "client RST: waited for accept"
           : reason == AW_WHEN_ACCEPTED ? "client RST: was accepted"
                                        : "client RST: in handshake";
  case AW_ACCEPT_STALLED:
    return "nothing is accepted";
  case AW_QUEUE_PRESSURE:
    return "queue about to be full";
  case AW_FINDING:
    return "finding";
  case AW_LISTENER_OPENED:
    return "listener opened";
  case AW_LISTENER_CLOSED:
    return end_phrase(reason);
  case AW_CLOSED_AFTER_ACCEPT:
    return early_close_phrase(reason);
  default:
    return "unknown";
  }
}

std::string_view ecs_type_of(aw_action action, aw_reason reason) {
  if (reason == AW_WHEN_ACCEPTED)
    return "end";
  switch (action) {
  case AW_LISTEN_DROP:
  case AW_RESET_SENT:
  case AW_HANDSHAKE_EXPIRED:
    return "denied";
  case AW_LISTENER_OPENED:
    return "start";
  case AW_LISTENER_CLOSED:
  case AW_RESET_RECEIVED:
  case AW_CLOSED_AFTER_ACCEPT:
    return "end";
  default:
    return "info";
  }
}

} // namespace acceptwatch
