// SPDX-License-Identifier: Apache-2.0
#include "events/findings.h"

#include <algorithm>
#include <array>

namespace acceptwatch {
namespace {

using enum Severity;

constexpr std::array kinds{
    FindingKind{"stuck_acceptor", high, "Connections wait, and nothing is accepted"},
    FindingKind{"inherited_listener", high, "Only a process that inherited it holds a listener"},
    FindingKind{"descriptors_exhausted", high, "A process that listens has no descriptor left"},
    FindingKind{"host_files_exhausted", critical, "The host has as many files open as it may"},
    FindingKind{"slow_acceptor", medium, "Connections wait long until they are accepted"},
    FindingKind{"reuseport_imbalance", medium, "One member of a group is full, others have room"},
    FindingKind{"burst_larger_than_backlog", medium, "More came at once than the queue holds"},
    FindingKind{"limit_capped_by_somaxconn", medium, "net.core.somaxconn limits the queue"},
    FindingKind{"backlog_too_small", medium, "The program asked for a short queue"},
    FindingKind{"abort_on_overflow", high, "A full queue resets connections, by a setting"},
    FindingKind{"syn_flood", high, "Many SYNs whose handshakes nobody completes"},
    FindingKind{"cookies_hide_full_syn_queue", low, "The SYN queue is full, and cookies help"},
    FindingKind{"syn_queue_full", high, "The SYN queue is full, and SYNs are dropped"},
    FindingKind{"handshakes_lost", medium, "Answers or last packets are lost on the way"},
    FindingKind{"refused_on_the_way", medium,
                "The kernel drops packets on their way in, and says why"},
    FindingKind{"cookie_invalid", low, "Last packets come with a cookie that is not valid"},
    FindingKind{"crash_loop", high, "The process that listens dies again and again"},
    FindingKind{"owner_died", high, "The process that listened has died"},
    FindingKind{"listener_shut_down", medium, "A process shut down a listener, perhaps of others"},
    FindingKind{"service_stopped", medium, "The process that listened was stopped"},
    FindingKind{"restart_gap", medium, "Clients came while the service was being restarted"},
    FindingKind{"closed_by_owner", medium, "A process closed its own listener, and runs on"},
    FindingKind{"reopened_by_owner", medium, "A process closed its own listener for a while"},
    FindingKind{"closed_port", low, "Nobody listens on a port that clients come to"},
    FindingKind{"closed_with_queue", medium, "A listener was closed with connections in its queue"},
    FindingKind{"closed_after_accept", medium, "Connections are closed at once, and not served"},
    FindingKind{"firewall", medium, "A firewall of this host drops packets of handshakes"},
    FindingKind{"conntrack_full", high, "The table of tracked connections is full"},
    FindingKind{"socket_filter", medium, "A BPF program at the socket drops packets"},
    FindingKind{"authentication", medium, "Packets lack the signature that is demanded"},
    FindingKind{"security_module", medium, "A security module refuses connections"},
    FindingKind{"no_route", medium, "The host has no route back to a client"},
    FindingKind{"netfilter_queue", high, "A rule hands packets to a queue that nobody reads"},
    FindingKind{"traffic_control", medium, "Traffic control drops packets of handshakes"},
    FindingKind{"xdp", medium, "An XDP program drops packets of handshakes"},
    FindingKind{"cgroup_program", medium, "A BPF program of the cgroup drops packets"},
    FindingKind{"reverse_path", medium, "The reverse path filter drops SYNs"},
    FindingKind{"not_local", low, "SYNs come to an address that is not this host's"},
    FindingKind{"route_localnet", medium, "SYNs are translated to a loopback address"},
    FindingKind{"neighbour", medium, "Packets find no neighbour that takes them"},
    FindingKind{"checksum", medium, "Packets come with a wrong checksum"},
    FindingKind{"cpu_backlog", high, "The backlog of a CPU is full"},
    FindingKind{"old_connection", medium, "SYNs meet old connections of the same ports"},
    FindingKind{"timestamps", medium, "Packets come with wrong TCP timestamps"},
    FindingKind{"window", medium, "Packets come with numbers outside of the window"},
    FindingKind{"memory", high, "The kernel has no memory for a handshake"},
};

} // namespace

std::span<const FindingKind> finding_kinds() { return kinds; }

const FindingKind* finding_kind(std::string_view name) {
  const auto* found = std::ranges::find(kinds, name, &FindingKind::name);
  return found == kinds.end() ? nullptr : found;
}

} // namespace acceptwatch
