// SPDX-License-Identifier: Apache-2.0
#include "events/names.h"

#include <array>

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
};

constexpr std::array<std::string_view, AW_NR_STAGES> stage_names{
    "", "syn", "ack", "cookie", "queued", "closed",
};

constexpr std::array<std::string_view, 5> source_names{
    "", "fentry", "kprobe", "tracepoint", "poll",
};

constexpr std::array<std::string_view, AW_NR_HOOKS> hook_names{
    "",
    "ingress",
    "prerouting",
    "input",
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

std::string_view drop_phrase(aw_reason reason, aw_stage stage) {
  const bool syn = stage == AW_STAGE_SYN;
  switch (reason) {
  case AW_ACCEPT_QUEUE_FULL:
  case AW_SYN_QUEUE_FULL:
  case AW_SYN_BACKLOG_RESERVED:
    return queue_drop_phrase(reason, stage);
  case AW_COOKIE_INVALID:
    return "ACK dropped: no valid cookie";
  case AW_FIREWALL:
    return syn ? "SYN dropped: firewall" : "dropped: firewall";
  case AW_SOCKET_FILTER:
    return syn ? "SYN dropped: socket filter" : "dropped: socket filter";
  case AW_AUTHENTICATION:
    return syn ? "SYN dropped: MD5/AO signature" : "dropped: MD5/AO signature";
  case AW_SECURITY_MODULE:
    return syn ? "SYN dropped: security module" : "dropped: security module";
  case AW_NO_ROUTE:
    return syn ? "SYN dropped: no route back" : "dropped: no route back";
  case AW_MEMORY:
    return syn ? "SYN dropped: no memory" : "dropped: no memory";
  case AW_OTHER:
    return syn ? "SYN dropped: see kernel_reason" : "dropped: see kernel_reason";
  default:
    return syn ? "SYN dropped: no request made" : "ACK dropped: no socket made";
  }
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
    return "given up: client is silent";
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
    return "listener closed";
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
    return "end";
  default:
    return "info";
  }
}

} // namespace acceptwatch
