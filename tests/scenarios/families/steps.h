// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/expectation.h"
#include "core/socket.h"
#include "core/stage.h"
#include "core/tun_peers.h"

// Steps that many scenarios have in common: what a listener's life looks like in records, and how
// its queues are filled.
namespace acceptwatch::scenarios {

// All peers of a burst or a crowd, as ports.
std::vector<uint16_t> ports_of(const std::vector<Peer*>& peers);

// "ipv4" or "ipv6".
std::string network_type(int family);

// A record that a peer's packet causes at a listener: ends, family, and once for each of `ports`.
Expectation at_listener(const std::string& action, const std::string& reason, const Owner& owner,
                        uint16_t server_port, const std::vector<uint16_t>& ports,
                        int family = AF_INET);

// The same for a packet that the listener dropped because its accept queue was full.
Expectation accept_queue_full(const std::string& stage, const Owner& owner,
                              const Listener& listener, const std::vector<uint16_t>& ports,
                              int family = AF_INET);

Expectation opened(const Owner& owner, uint16_t server_port);
Expectation closed(const Owner& owner, uint16_t server_port, unsigned accept_depth,
                   unsigned syn_depth, const std::string& end = "closed");

// Opens a listener of this process, and expects the record.
Listener open_listener(Stage& stage, const ListenerOptions& options);

// Closes a listener of this process: expects the record with both depths, and a RST for each of the
// `queued` ports.
void close_listener(Stage& stage, Listener& listener, const std::vector<uint16_t>& queued,
                    int family = AF_INET);

// Looks into an accept queue.
using Depth = std::function<unsigned()>;
Depth depth_of(const Listener& listener);
// Without holding the socket, which would be one more owner: all listeners of that port together,
// from /proc/net/tcp.
Depth depth_of(uint16_t server_port);

// Sends a SYN and waits for its SYN-ACK.
void shake(TunPeers& tun, Peer& peer);
// A whole handshake: the connection then waits to be accepted.
void enqueue(TunPeers& tun, const Depth& depth, Peer& peer);
// Handshakes from `first_port` on until the accept queue is full; returns their ports.
std::vector<uint16_t> fill(TunPeers& tun, const Listener& listener, uint16_t first_port,
                           int family = AF_INET);

// Has the kernel choose the member of a SO_REUSEPORT group whose place is the client's port modulo
// `members`, so that each packet has one right listener.
void choose_by_client_port(const Listener& member, uint32_t members);

// Sends a SYN of each to a listener with a full queue, and waits until all are dropped.
void lose_syns(Stage& stage, TunPeers& tun, const std::vector<Peer*>& peers);

// SYN-ACKs that those peers got more than once, as records.
std::vector<Expectation> resends_of(TunPeers& tun, const Owner& owner,
                                    const std::string& reason_after_ack,
                                    const std::function<bool(const Peer&)>& is_meant);
// SYN-ACKs that peers got more than once are records too: in scenarios about something else they
// only appear on a machine so slow that a second passed. Call it when the listener is closed. With
// a port, only those of that listener.
void expect_resends(Stage& stage, TunPeers& tun, const Owner& owner,
                    const std::string& reason_after_ack = "ack_dropped", uint16_t only_port = 0);
void expect_resends(Stage& stage, TunPeers& tun);

} // namespace acceptwatch::scenarios
