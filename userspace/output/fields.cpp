// SPDX-License-Identifier: Apache-2.0
#include "output/fields.h"

#include <array>

namespace acceptwatch {
namespace {

constexpr std::array table{
    Field{"@timestamp", "TIME", "", "When the kernel did it"},
    Field{"message", "", "", "Of a finding: what was found, a sentence"},
    Field{"event.kind", "", "", "event, alert (a finding) or metric"},
    Field{"event.category", "", "", "network"},
    Field{"event.type", "", "", "connection, and what became of it"},
    Field{"event.action", "WHAT", "", "What happened"},
    Field{"event.reason", "WHAT", "", "Why; of a finding its name"},
    Field{"event.severity", "", "", "Of a finding: 21 low, 47 medium, 73 high, 99 critical"},
    Field{"event.sequence", "", "", "The number of the record in its output"},
    Field{"rule.name", "", "", "The name of a finding"},
    Field{"host.name", "", "", "The host that saw it"},
    Field{"host.boot.id", "", "", "Of start: which boot of the host it is"},
    Field{"server.address", "LISTENER", "", "The listener's end, as the packet saw it"},
    Field{"server.port", "PORT", "", "The listener's port"},
    Field{"server.nat", "LISTENER", "", "The listener's own end, where that is another"},
    Field{"client.address", "CLIENT", "", "The other end"},
    Field{"client.port", "CLIENT", "", "The other end's port"},
    Field{"client.nat", "", "", "Reserved"},
    Field{"network.transport", "", "", "tcp"},
    Field{"network.type", "", "", "ipv4 or ipv6"},
    Field{"network.interface.name", "WHAT", "",
          "The device that a refused packet came by, or left by"},
    Field{"process.pid", "PROCESS", "", "The owner of the listening socket"},
    Field{"process.name", "PROCESS", "", "The owner's name"},
    Field{"process.start", "", "", "When the owner was started"},
    Field{"process.linux.cgroup", "", "", "The owner's path in the cgroup2 hierarchy"},
    Field{"container.id", "", "", "The owner's container"},
    Field{"acceptwatch.stage", "WHAT", "", "At which packet of the handshake"},
    Field{"acceptwatch.count", "WHAT", "occurrences", "How many this record stands for"},
    Field{"acceptwatch.owners", "PROCESS", "processes", "How many hold the listener"},
    Field{"acceptwatch.accept_queue", "ACCEPTQ", "connections",
          "The queue that accept() takes from"},
    Field{"acceptwatch.syn_queue", "SYNQ", "handshakes", "The queue of unfinished handshakes"},
    Field{"acceptwatch.netns", "NETNS", "", "Inode of the network namespace"},
    Field{"acceptwatch.socket", "", "", "The socket's cookie"},
    Field{"acceptwatch.retry", "WHAT", "", "Which repetition of a SYN-ACK"},
    Field{"acceptwatch.kernel_reason", "WHAT", "", "The kernel's own name of the reason"},
    Field{"acceptwatch.netfilter", "WHAT", "", "Where the firewall dropped it"},
    Field{"acceptwatch.old_connection", "WHAT", "", "Whose ports a SYN has: its state, its age"},
    Field{"acceptwatch.source", "SOURCE", "", "The tier that saw it"},
    Field{"acceptwatch.closed_by", "WHAT", "", "Which process ended it, and how"},
    Field{"acceptwatch.early_close", "WHAT", "", "How soon after accept(), and what was read"},
    Field{"acceptwatch.former_listener", "PROCESS", "", "Who listened there before"},
    Field{"acceptwatch.descriptors", "WHAT", "files", "Of a process that has none left"},
    Field{"acceptwatch.host_files", "WHAT", "files", "Of a host that has none left"},
    Field{"acceptwatch.backlog", "", "connections", "What listen() was asked for"},
    Field{"acceptwatch.pressure", "WHAT", "", "A queue about to be full, or no longer"},
    Field{"acceptwatch.finding", "WHAT", "", "What speaks for a finding, and what to do"},
    Field{"acceptwatch.owner_state", "", "", "What the owner's threads were doing"},
    Field{"acceptwatch.schema", "", "", "Of start: the version of the schema"},
    Field{"acceptwatch.version", "", "", "Of start: the version of acceptwatch"},
    Field{"acceptwatch.kernel", "", "", "Of start: the version of the kernel"},
    Field{"acceptwatch.probes", "", "", "Of start: what was attached"},
    Field{"acceptwatch.filters", "", "", "Of start: the filters as given"},
    Field{"acceptwatch.blind", "", "", "Of start: what cannot be seen, each with why"},
    Field{"acceptwatch.sample", "", "", "A listener in one interval"},
    Field{"acceptwatch.lost", "", "records", "What could not be delivered, and where"},
    Field{"acceptwatch.audit", "", "", "The kernel's counters, and what explains them"},
    Field{"acceptwatch.total", "", "occurrences", "At the end: how many of a kind"},
    Field{"acceptwatch.listener", "", "", "At the end: what a listener went through"},
    Field{"acceptwatch.summary", "", "", "At the end: how long, and how many records"},
};

} // namespace

std::span<const Field> fields() { return table; }

} // namespace acceptwatch
