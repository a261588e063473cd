// SPDX-License-Identifier: Apache-2.0
#include "events/occurrences.h"

namespace acceptwatch {
namespace {

constexpr std::array<aw_stage, 3> syn{AW_STAGE_SYN};
constexpr std::array<aw_stage, 3> ack{AW_STAGE_ACK};
constexpr std::array<aw_stage, 3> syn_or_ack{AW_STAGE_SYN, AW_STAGE_ACK};
constexpr std::array<aw_stage, 3> syn_or_synack{AW_STAGE_SYN, AW_STAGE_SYNACK};
constexpr std::array<aw_stage, 3> whole_handshake{AW_STAGE_SYN, AW_STAGE_SYNACK, AW_STAGE_ACK};
constexpr std::array<aw_stage, 3> syn_or_queued{AW_STAGE_SYN, AW_STAGE_QUEUED};
constexpr std::array<aw_stage, 3> ack_or_closed{AW_STAGE_ACK, AW_STAGE_CLOSED};
constexpr std::array<aw_stage, 3> cookie{AW_STAGE_COOKIE};
constexpr std::array<aw_stage, 3> queued{AW_STAGE_QUEUED};
constexpr std::array<aw_stage, 3> all_packets{AW_STAGE_SYN, AW_STAGE_ACK, AW_STAGE_COOKIE};

constexpr std::array table{
    Occurrence{AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL, all_packets},
    Occurrence{AW_LISTEN_DROP, AW_SYN_QUEUE_FULL, syn},
    Occurrence{AW_LISTEN_DROP, AW_SYN_BACKLOG_RESERVED, syn},
    Occurrence{AW_LISTEN_DROP, AW_COOKIE_INVALID, cookie},
    Occurrence{AW_LISTEN_DROP, AW_REQUEST_FAILED, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_FIREWALL, whole_handshake},
    Occurrence{AW_LISTEN_DROP, AW_SOCKET_FILTER, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_AUTHENTICATION, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_SECURITY_MODULE, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_NO_ROUTE, whole_handshake},
    Occurrence{AW_LISTEN_DROP, AW_MEMORY, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_NETFILTER_QUEUE, whole_handshake},
    Occurrence{AW_LISTEN_DROP, AW_TRAFFIC_CONTROL, syn_or_synack},
    Occurrence{AW_LISTEN_DROP, AW_XDP, syn},
    Occurrence{AW_LISTEN_DROP, AW_CGROUP_PROGRAM, whole_handshake},
    Occurrence{AW_LISTEN_DROP, AW_REVERSE_PATH, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_NOT_LOCAL, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_ROUTE_LOCALNET, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_NEIGHBOUR, syn_or_synack},
    Occurrence{AW_LISTEN_DROP, AW_CHECKSUM, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_CPU_BACKLOG, syn},
    Occurrence{AW_LISTEN_DROP, AW_OLD_CONNECTION, syn},
    Occurrence{AW_LISTEN_DROP, AW_TIMESTAMPS, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_WINDOW, syn_or_ack},
    Occurrence{AW_LISTEN_DROP, AW_OTHER, syn_or_ack},
    Occurrence{AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL, syn},
    Occurrence{AW_SYNCOOKIE_SENT, AW_ALWAYS, syn},
    Occurrence{AW_SYNACK_RETRANSMIT, AW_NO_ACK, syn},
    Occurrence{AW_SYNACK_RETRANSMIT, AW_ACK_DROPPED, syn},
    Occurrence{AW_SYNACK_RETRANSMIT, AW_DEFERRED, syn},
    Occurrence{AW_HANDSHAKE_EXPIRED, AW_NO_ACK, syn},
    Occurrence{AW_HANDSHAKE_EXPIRED, AW_ACK_DROPPED, syn},
    Occurrence{AW_HANDSHAKE_EXPIRED, AW_DEFERRED, syn},
    Occurrence{AW_RESET_SENT, AW_NO_LISTENER, syn},
    Occurrence{AW_RESET_SENT, AW_ABORT_ON_OVERFLOW, ack},
    Occurrence{AW_RESET_SENT, AW_CLOSED_LISTENER, ack_or_closed},
    Occurrence{AW_RESET_SENT, AW_HANDSHAKE_INVALID, syn_or_ack},
    Occurrence{AW_RESET_SENT, AW_FIREWALL, syn},
    Occurrence{AW_RESET_SENT, AW_OTHER, syn_or_queued},
    Occurrence{AW_RESET_SENT, AW_WHEN_ACCEPTED, {}},
    Occurrence{AW_RESET_RECEIVED, AW_IN_HANDSHAKE, ack},
    Occurrence{AW_RESET_RECEIVED, AW_WHEN_QUEUED, queued},
    Occurrence{AW_RESET_RECEIVED, AW_WHEN_ACCEPTED, {}},
    Occurrence{AW_LISTENER_OPENED, AW_REASON_NONE, {}},
    Occurrence{AW_LISTENER_CLOSED, AW_REASON_NONE, {}}, // how it ended is not known
    Occurrence{AW_LISTENER_CLOSED, AW_CLOSED, {}},
    Occurrence{AW_LISTENER_CLOSED, AW_EXITED, {}},
    Occurrence{AW_LISTENER_CLOSED, AW_KILLED, {}},
    Occurrence{AW_LISTENER_CLOSED, AW_SHUT_DOWN, {}},
    Occurrence{AW_CLOSED_AFTER_ACCEPT, AW_UNREAD, {}},
    Occurrence{AW_CLOSED_AFTER_ACCEPT, AW_RESET, {}},
    Occurrence{AW_CLOSED_AFTER_ACCEPT, AW_UNSERVED, {}},
    Occurrence{AW_CLOSED_AFTER_ACCEPT, AW_TURNED_AWAY, {}},
    Occurrence{AW_CLOSED_AFTER_ACCEPT, AW_PROCESS_FAILED, {}},
    Occurrence{AW_ACCEPT_STALLED, AW_REASON_NONE, {}},
    Occurrence{AW_QUEUE_PRESSURE, AW_REASON_NONE, {}},
    Occurrence{AW_FINDING, AW_REASON_NONE, {}},
};

} // namespace

std::span<const Occurrence> occurrences() { return table; }

} // namespace acceptwatch
