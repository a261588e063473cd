// SPDX-License-Identifier: Apache-2.0
// A SYN meets a full accept queue: tcp_conn_request() drops it, silently and before any request
// exists.
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9101;

// Clients of the kernel's own against a listener that never accepts. The kernel sends their SYNs
// again after a second; how often it did is asked of each client, so that a slow machine changes
// the numbers and not the verdict.
class Crowd {
public:
  Crowd(Stage& stage, const Listener& listener, std::string address)
      : stage_(stage), listener_(listener), address_(std::move(address)) {}

  // One after the other: SYNs that come before the queued handshakes are complete would be dropped
  // at the ACK stage instead.
  void connect_queued(uint16_t port) {
    const unsigned before = listener_.depth();
    clients_.emplace_back(address_, listener_.port(), port);
    wait_for("a connection to be queued", [&] { return listener_.depth() == before + 1; });
    queued_.push_back(port);
  }

  void connect_dropped(uint16_t port) {
    const int64_t before = stage_.world().moved("ListenDrops");
    dropped_.emplace_back(address_, listener_.port(), port);
    wait_for("a SYN to be dropped", [&] { return stage_.world().moved("ListenDrops") > before; });
  }

  // No more SYNs after this.
  std::map<uint16_t, uint64_t> end_dropped() {
    std::map<uint16_t, uint64_t> syns;
    for (Client& client : dropped_) {
      const unsigned again = client.retransmits();
      client.vanish();
      syns[client.port()] = 1 + again;
      stage_.beside("TCPSynRetrans", again);
    }
    dropped_.clear();
    return syns;
  }

  const std::vector<uint16_t>& queued() const { return queued_; }

private:
  Stage& stage_;
  const Listener& listener_;
  std::string address_;
  std::vector<Client> clients_;
  std::vector<Client> dropped_;
  std::vector<uint16_t> queued_;
};

Expectation syn_dropped(Stage& stage, const Listener& listener, const std::string& address,
                        std::map<uint16_t, uint64_t> syns) {
  const int family = Address::parse(address).family;
  Expectation expected = accept_queue_full("syn", stage.self(), listener, {}, family);
  expected.clients = std::move(syns);
  expected.server_address = address;
  expected.client_address = address; // both ends are on loopback
  expected.syn_depth = Range::exactly(0);
  return expected;
}

void overflow_by_sockets(Stage& stage, const std::string& bound_to, const std::string& address) {
  stage.go();
  Listener listener =
      open_listener(stage, {.address = bound_to, .port = server_port, .backlog = 2});
  Crowd crowd(stage, listener, address);
  for (uint16_t number = 0; number < 3; ++number) {
    crowd.connect_queued(static_cast<uint16_t>(40001 + number));
  }
  for (uint16_t number = 3; number < 8; ++number) {
    crowd.connect_dropped(static_cast<uint16_t>(40001 + number));
  }
  stage.expect(syn_dropped(stage, listener, address, crowd.end_dropped()));
  close_listener(stage, listener, crowd.queued(), Address::parse(address).family);
}

void syn_stage_overflow(Stage& stage) { overflow_by_sockets(stage, "0.0.0.0", "127.0.0.1"); }

void syn_stage_overflow_v6(Stage& stage) { overflow_by_sockets(stage, "::1", "::1"); }

// One listener, both families: an IPv4 packet stays an IPv4 packet, whatever family the socket has.
void dual_stack(Stage& stage) {
  stage.go();
  Listener listener = open_listener(stage, {.address = "::", .port = server_port, .backlog = 1});
  Crowd v4(stage, listener, "127.0.0.1");
  Crowd v6(stage, listener, "::1");
  v4.connect_queued(40001);
  v6.connect_queued(40002);
  v4.connect_dropped(40003);
  v6.connect_dropped(40004);
  v6.connect_dropped(40005);
  stage.expect(syn_dropped(stage, listener, "127.0.0.1", v4.end_dropped()));
  stage.expect(syn_dropped(stage, listener, "::1", v6.end_dropped()));
  stage.expect(closed(stage.self(), server_port, 2, 0));
  stage.expect(at_listener("reset_sent", "listener_closed", stage.self(), server_port, v4.queued(),
                           AF_INET));
  stage.expect(at_listener("reset_sent", "listener_closed", stage.self(), server_port, v6.queued(),
                           AF_INET6));
  listener.close();
}

// The limit that counts is that of the last listen(); no state changes, so no event tells of it.
void listen_again(Stage& stage) {
  TunPeers tun;
  stage.go();
  Listener listener = open_listener(stage, {.port = server_port, .backlog = 10});
  std::vector<uint16_t> queued = fill(tun, listener, 20001);
  tun.send_syn(tun.add(30001, server_port));
  stage.await_moved("ListenDrops", 1);
  stage.expect(accept_queue_full("syn", stage.self(), listener, {30001}));

  listener.listen(1);
  tun.send_syn(tun.add(30002, server_port));
  stage.await_moved("ListenDrops", 2);
  Expectation over_the_new = accept_queue_full("syn", stage.self(), listener, {30002});
  over_the_new.accept_depth = Range::exactly(static_cast<int64_t>(queued.size()));
  stage.expect(over_the_new);
  stage.claim(listener.limit() == 1, "the second listen() set the limit to 1");

  listener.listen(20);
  const std::vector<uint16_t> more = fill(tun, listener, 20101);
  queued.insert(queued.end(), more.begin(), more.end());
  tun.send_syn(tun.add(30003, server_port));
  stage.await_moved("ListenDrops", 3);
  stage.expect(accept_queue_full("syn", stage.self(), listener, {30003}));
  close_listener(stage, listener, queued);
  expect_resends(stage, tun);
}

// One process, the same port in two namespaces: what happens in one must not appear in the other.
void namespaces(Stage& stage) {
  World& second = stage.add_world();
  TunPeers healthy_peers;
  stage.world().enter();
  TunPeers tun;
  stage.go();
  Listener full = open_listener(stage, {.port = server_port, .backlog = 1});
  second.enter();
  Listener healthy({.port = server_port, .backlog = 5});
  second.expect(opened(stage.self(), server_port));
  enqueue(healthy_peers, depth_of(healthy), healthy_peers.add(20001, server_port));

  stage.world().enter();
  const std::vector<uint16_t> queued = fill(tun, full, 20001);
  const std::vector<Peer*> crowd = tun.add_many(30001, 7, server_port);
  lose_syns(stage, tun, crowd);
  stage.expect(accept_queue_full("syn", stage.self(), full, ports_of(crowd)));
  close_listener(stage, full, queued);
  expect_resends(stage, tun);

  second.enter();
  second.expect(closed(stage.self(), server_port, 1, 0));
  second.expect(at_listener("reset_sent", "listener_closed", stage.self(), server_port, {20001}));
  healthy.close();
}

} // namespace

std::vector<Scenario> accept_queue_syn_scenarios() {
  return {
      {"syn_stage_overflow", "8 sockets connect, 3 are queued, 5 SYNs are dropped",
       syn_stage_overflow, false, true},
      {"syn_stage_overflow_v6", "the same over IPv6", syn_stage_overflow_v6, false, true},
      {"dual_stack", "a [::] listener drops SYNs of both families", dual_stack},
      {"listen_again", "listen() called again: the limit in force is reported", listen_again},
      {"namespaces", "the same port in two namespaces, only one overflows", namespaces},
  };
}

} // namespace acceptwatch::scenarios
