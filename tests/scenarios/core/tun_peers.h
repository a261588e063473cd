// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/packet.h"
#include "core/unique_fd.h"

namespace acceptwatch::scenarios {

// A client that exists only as packets: it sends what it is told to, when it is told to, and never
// repeats anything. So the fate of each handshake is known, and none of its packets is in the
// kernel's Tcp counters.
struct Peer {
  // A SYN-ACK after the first; what the peer had sent by then decides what acceptwatch must call
  // it.
  struct Resend {
    bool after_ack;
  };

  int family = AF_INET;
  std::string address; // empty: TunPeers::client_address()
  uint16_t port = 0;
  uint16_t server_port = 0;
  uint32_t isn = 0;
  uint32_t server_isn = 0;
  unsigned syn_acks = 0;
  unsigned acks_sent = 0;
  unsigned resets = 0;
  unsigned fins = 0;
  std::vector<Resend> resends;
};

// The far side of a TUN device in the current network namespace. The kernel's side is 10.98.0.1 and
// fd98::1; the peers are 10.98.0.2 and fd98::2 with one port each.
class TunPeers {
public:
  TunPeers();

  static const char* device();
  static std::string server_address(int family);
  static std::string client_address(int family);
  // Of clients to whom there is a way of their own, now and then, or none (IPv4).
  static std::string roaming_address();
  static std::string away_address();
  static std::string address_of(const Peer& peer);

  // A peer that has not sent anything yet. `port` must be new.
  Peer& add(uint16_t port, uint16_t server_port, int family = AF_INET);
  std::vector<Peer*> add_many(uint16_t first_port, size_t count, uint16_t server_port,
                              int family = AF_INET);
  const std::map<uint16_t, Peer>& all() const { return peers_; }

  using Options = std::vector<uint8_t>; // whole words
  void send_syn(Peer& peer, const Options& options = {});
  // A SYN with more flags than that, or with 100 bytes and a wrong checksum: no listener takes it.
  void send_odd_syn(Peer& peer, uint8_t more_flags);
  void send_corrupt_syn(Peer& peer);
  void send_syn_with_data(Peer& peer); // Fast Open, without a cookie
  // The last packet of the handshake.
  void send_ack(Peer& peer, const Options& options = {});
  void send_ack_of(Peer& peer, uint32_t wrong_server_isn);
  void send_data(Peer& peer); // as send_ack, with one byte
  void send_reset(Peer& peer);
  // The ICMP error of a router that cannot deliver the SYN-ACK (IPv4).
  void send_host_unreachable(Peer& peer);
  // Answers the server's FIN with an ACK and a FIN of its own: the server's end is then in
  // TIME_WAIT.
  void answer_fin(Peer& peer);
  // The same with an ACK alone: the peer means to go on sending.
  void acknowledge_fin(Peer& peer);

  // Reads whatever the kernel has answered so far.
  void drain();
  void await_syn_ack(Peer& peer);
  void await_reset(Peer& peer);

private:
  Segment segment_of(const Peer& peer, uint8_t flags, uint32_t sequence,
                     uint32_t acknowledgement) const;
  void write(const std::vector<uint8_t>& packet);
  void answer_fin_with(Peer& peer, uint8_t flags);
  void take(const Segment& segment);

  UniqueFd tun_;
  std::map<uint16_t, Peer> peers_;
};

} // namespace acceptwatch::scenarios
