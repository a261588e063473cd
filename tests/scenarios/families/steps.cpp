// SPDX-License-Identifier: Apache-2.0
#include "families/steps.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <netinet/ip6.h>
#include <sys/socket.h>

#include <iterator>
#include <map>
#include <tuple>

#include "core/error.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

std::vector<uint16_t> ports_of(const std::vector<Peer*>& peers) {
  std::vector<uint16_t> ports;
  ports.reserve(peers.size());
  for (const Peer* peer : peers) {
    ports.push_back(peer->port);
  }
  return ports;
}

std::string network_type(int family) { return family == AF_INET ? "ipv4" : "ipv6"; }

Expectation at_listener(const std::string& action, const std::string& reason, const Owner& owner,
                        uint16_t server_port, const std::vector<uint16_t>& ports, int family) {
  Expectation expected;
  expected.action = action;
  expected.reason = reason;
  expected.network_type = network_type(family);
  expected.server_port = server_port;
  expected.clients = once_each(ports);
  expected.owner = owner;
  return expected;
}

Expectation accept_queue_full(const std::string& stage, const Owner& owner,
                              const Listener& listener, const std::vector<uint16_t>& ports,
                              int family) {
  Expectation expected =
      at_listener("listen_drop", "accept_queue_full", owner, listener.port(), ports, family);
  expected.stage = stage;
  // sk_acceptq_is_full() is "depth > limit": a full queue holds one more than its limit.
  expected.accept_limit = Range::exactly(listener.limit());
  expected.accept_depth = Range::exactly(listener.limit() + 1);
  return expected;
}

Expectation opened(const Owner& owner, uint16_t server_port) {
  Expectation expected;
  expected.action = "listener_opened";
  expected.server_port = server_port;
  expected.count = 1;
  expected.owner = owner;
  return expected;
}

Expectation closed(const Owner& owner, uint16_t server_port, unsigned accept_depth,
                   unsigned syn_depth, const std::string& end) {
  Expectation expected = opened(owner, server_port);
  expected.action = "listener_closed";
  expected.end = end;
  expected.accept_depth = Range::exactly(accept_depth);
  expected.syn_depth = Range::exactly(syn_depth);
  return expected;
}

Listener open_listener(Stage& stage, const ListenerOptions& options) {
  Listener listener(options);
  stage.expect(opened(stage.self(), listener.port()));
  stage.linger();
  return listener;
}

void close_listener(Stage& stage, Listener& listener, const std::vector<uint16_t>& queued,
                    int family) {
  stage.linger();
  stage.claim(listener.depth() == queued.size(),
              cat(queued.size(), " connections wait on port ", listener.port(), ", there are ",
                  listener.depth()));
  // How one of MPTCP ends is not always to be seen.
  stage.expect(closed(stage.self(), listener.port(), listener.depth(), listener.embryos(),
                      listener.is_mptcp() ? "" : "closed"));
  listener.close(); // inet_csk_listen_stop() sends the RSTs before close() returns
  if (!queued.empty()) {
    stage.expect(at_listener("reset_sent", "listener_closed", stage.self(), listener.port(), queued,
                             family));
  }
}

void shake(TunPeers& tun, Peer& peer) {
  tun.send_syn(peer);
  tun.await_syn_ack(peer);
}

Depth depth_of(const Listener& listener) {
  return [&listener] { return listener.depth(); };
}

Depth depth_of(uint16_t server_port) {
  return [server_port] { return waiting_on(server_port); };
}

void enqueue(TunPeers& tun, const Depth& depth, Peer& peer) {
  const unsigned before = depth();
  shake(tun, peer);
  tun.send_ack(peer);
  wait_for(cat("port ", peer.port, " to be queued"), [&] { return depth() == before + 1; });
}

std::vector<uint16_t> fill(TunPeers& tun, const Listener& listener, uint16_t first_port,
                           int family) {
  std::vector<uint16_t> ports;
  while (listener.depth() <= listener.limit()) {
    const auto port = static_cast<uint16_t>(first_port + ports.size());
    enqueue(tun, depth_of(listener), tun.add(port, listener.port(), family));
    ports.push_back(port);
  }
  return ports;
}

void choose_by_client_port(const Listener& member, uint32_t members) {
  constexpr auto network = static_cast<uint32_t>(SKF_NET_OFF);
  constexpr auto protocol = static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, protocol),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 2, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, network + sizeof(iphdr)),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, network + sizeof(ip6_hdr)),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, members),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  const sock_fprog passed{std::size(program), program};
  must(::setsockopt(member.fd(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &passed, sizeof(passed)),
       "SO_ATTACH_REUSEPORT_CBPF");
}

void lose_syns(Stage& stage, TunPeers& tun, const std::vector<Peer*>& peers) {
  const int64_t before = stage.world().moved("ListenDrops");
  for (Peer* peer : peers) {
    tun.send_syn(*peer);
  }
  stage.await_moved("ListenDrops", before + static_cast<int64_t>(peers.size()));
}

std::vector<Expectation> resends_of(TunPeers& tun, const Owner& owner,
                                    const std::string& reason_after_ack,
                                    const std::function<bool(const Peer&)>& is_meant) {
  tun.drain();
  using Kind = std::tuple<uint16_t, int, std::string, size_t>;
  std::map<Kind, std::vector<uint16_t>> kinds;
  for (const auto& [port, peer] : tun.all()) {
    if (!is_meant(peer)) {
      continue;
    }
    for (size_t number = 0; number < peer.resends.size(); ++number) {
      const std::string reason = peer.resends[number].after_ack ? reason_after_ack : "no_ack";
      kinds[{peer.server_port, peer.family, reason, number + 1}].push_back(port);
    }
  }
  std::vector<Expectation> result;
  for (const auto& [kind, ports] : kinds) {
    const auto& [server_port, family, reason, number] = kind;
    Expectation expected =
        at_listener("synack_retransmit", reason, owner, server_port, ports, family);
    expected.retry = Range::exactly(static_cast<int64_t>(number));
    result.push_back(std::move(expected));
  }
  return result;
}

void expect_resends(Stage& stage, TunPeers& tun, const Owner& owner,
                    const std::string& reason_after_ack, uint16_t only_port) {
  const auto is_meant = [only_port](const Peer& peer) {
    return only_port == 0 || peer.server_port == only_port;
  };
  for (const Expectation& expected : resends_of(tun, owner, reason_after_ack, is_meant)) {
    stage.expect(expected);
  }
}

void expect_resends(Stage& stage, TunPeers& tun) { expect_resends(stage, tun, stage.self()); }

} // namespace acceptwatch::scenarios
