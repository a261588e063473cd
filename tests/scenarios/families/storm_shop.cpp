// SPDX-License-Identifier: Apache-2.0
#include "families/storm_shop.h"

#include "core/error.h"
#include "families/obstacles.h"

namespace acceptwatch::scenarios::storm {

namespace {

constexpr uint16_t closed_port = 9299;

} // namespace

Town::Town(World& home, int syncookies_here, bool aborts_here)
    : world(home), syncookies(syncookies_here), aborts(aborts_here) {
  constexpr int fast_open_without_cookies = 0x202;
  set_sysctl("net.ipv4.tcp_fastopen", fast_open_without_cookies);
  set_sysctl("net.ipv4.tcp_syncookies", syncookies);
  set_sysctl("net.ipv4.tcp_abort_on_overflow", aborts ? 1 : 0);
  add_unreachable(TunPeers::away_address());
}

Peer& Town::newcomer(uint16_t server_port, int family, std::optional<size_t> parity) {
  if (parity && next_port_ % 2U != *parity) {
    ++next_port_;
  }
  if (next_port_ >= walled_from) {
    throw Failure("a storm of that many handshakes needs more ports than a client has");
  }
  ++handshakes;
  return tun.add(next_port_++, server_port, family);
}

Peer& Town::rejected_newcomer(uint16_t server_port, int family) {
  ++handshakes;
  return tun.add(next_rejected_++, server_port, family);
}

Peer& Town::walled_newcomer(uint16_t server_port, int family) {
  ++handshakes;
  return tun.add(next_walled_++, server_port, family);
}

void Town::knock_at_closed_port(int family) {
  Peer& peer = newcomer(closed_port, family);
  tun.send_syn(peer);
  tun.await_reset(peer);
  Expectation refused =
      at_listener("reset_sent", "no_listener", {}, closed_port, {peer.port}, family);
  refused.server_address = TunPeers::server_address(family);
  refused.client_address = TunPeers::client_address(family);
  refused.owner.reset();
  refused.no_owner = true;
  world.expect_more(refused);
}

void Town::reset_established(const std::vector<Peer*>& peers) {
  const int64_t before = world.moved("EstabResets");
  for (Peer* peer : peers) {
    tun.send_reset(*peer);
  }
  world.await_moved("EstabResets", before + static_cast<int64_t>(peers.size()));
}

bool Held::is_timer_near() const {
  using std::chrono::milliseconds;
  if (was_answered) {
    return false; // whatever comes then is an answer to that
  }
  const size_t seen = peer->resends.size() - resends_before;
  const auto age = Clock::now() - timer_since;
  const milliseconds due{seen == 0 ? 1000 : 3000};
  return seen < 2 && age > due - milliseconds(100) && age < due + milliseconds(500);
}

Shop::Shop(Town& home, const Kernel& here, const Plan& wanted)
    : town(home), kernel(here), plan(wanted), process_(plan.name, keeper_of(plan)) {}

void Shop::order(const std::string& what) const {
  process_.channel().say(what);
  process_.channel().hear("done");
}

void Shop::pair_with(Shop& other) {
  partner_ = &other;
  other.partner_ = this;
}

// Who comes later has the last place in the group, and whoever goes leaves his to the last:
// reuseport_detach_sock().
void Shop::open() {
  place_ = shares_port() ? 1 : 0;
  order("open");
  is_open_ = true;
}

Peer& Shop::newcomer(int family) {
  Peer& peer =
      town.newcomer(plan.port, family, shares_port() ? std::optional{place_} : std::nullopt);
  clients.insert(&peer);
  return peer;
}

void Shop::expect_opened() { expect(opened(owner(), plan.port)); }

// Requests go with the listener in silence, connections that live are reset.
void Shop::close() {
  expect(closed(owner(), plan.port, static_cast<unsigned>(queued.size()),
                static_cast<unsigned>(held.size()), plan.is_mptcp ? "" : "closed"));
  for (const Queued& waiting : queued) {
    if (!waiting.is_dead) {
      expect(about(*waiting.peer, "reset_sent", "listener_closed"));
    }
  }
  order("close");
  is_open_ = false;
  if (partner_) {
    partner_->place_ = 0;
  }
  town.world.await_explained("OutRsts");
  town.tun.drain();
  for (const Queued& waiting : queued) {
    if (waiting.peer->resets != (waiting.is_dead && !waiting.was_killed ? 0 : 1)) {
      throw Failure(cat("client ", waiting.peer->port, " got ", waiting.peer->resets, " RSTs"));
    }
  }
  held.clear();
  with_cookie.clear();
  queued.clear();
}

void Shop::close_on_them(Dice& dice) {
  // Their packets would be strays to the other.
  while (shares_port() && !held.empty()) {
    give_up_held(0);
  }
  const std::vector<Held> under_way = held;
  close();
  for (const Held& request : under_way) {
    town.tun.drain();
    if (request.is_timer_near() || dice.below(2) == 0) {
      continue; // the timer drops a request without a listener, too
    }
    Expectation reset = about(*request.peer, "reset_sent", "listener_closed", "ack");
    reset.owner.reset();
    reset.no_owner = true;
    expect(reset);
    const unsigned before = request.peer->resets;
    town.tun.send_ack(*request.peer);
    wait_for("a RST for a handshake without a listener", [&] {
      town.tun.drain();
      return request.peer->resets > before;
    });
  }
}

bool Shop::is_syn_queue_full() const {
  const size_t room = static_cast<size_t>(plan.backlog) + kernel.syn_queue_spare;
  return held.size() + silent.size() >= room;
}

// In the order in which tcp_conn_request() asks.
Answer Shop::answer() const {
  const bool is_stateless = town.syncookies == 2 || is_syn_queue_full();
  if (is_stateless && town.syncookies == 0) {
    return Answer::syn_queue_full;
  }
  if (is_full()) {
    return Answer::accept_queue_full;
  }
  return is_stateless ? Answer::cookie : Answer::syn_ack;
}

int Shop::draw_family(Dice& dice) const {
  const bool has_both = plan.bound_to == "::";
  return has_both && dice.below(2) == 0 ? AF_INET6 : AF_INET;
}

Expectation Shop::about(const Peer& peer, const std::string& action, const std::string& reason,
                        const std::string& stage) const {
  Expectation expected = at_listener(action, reason, owner(), plan.port, {peer.port}, peer.family);
  expected.stage = stage;
  expected.server_address = TunPeers::server_address(peer.family);
  expected.client_address = TunPeers::address_of(peer);
  return expected;
}

Expectation Shop::about_place(const Peer& peer, const std::string& action,
                              const std::string& reason, const std::string& stage) const {
  Expectation expected = about(peer, action, reason, stage);
  if (shares_port()) {
    expected.owner.reset();
    expected.no_owner = true;
  }
  return expected;
}

Expectation Shop::drop(const Peer& peer, const std::string& reason,
                       const std::string& stage) const {
  Expectation expected = about(peer, "listen_drop", reason, stage);
  const auto requests = static_cast<int64_t>(held.size());
  expected.accept_depth = Range::exactly(static_cast<int64_t>(queued.size()));
  expected.accept_limit = Range::exactly(plan.backlog);
  // Silent ones are given up by a timer.
  expected.syn_depth = Range{requests, requests + static_cast<int64_t>(silent.size())};
  return expected;
}

void Shop::greet(Peer& peer) {
  const Answer expected = answer();
  if (expected == Answer::cookie) {
    Expectation sent =
        about(peer, "syncookie_sent", town.syncookies == 2 ? "always" : "syn_queue_full", "syn");
    sent.syn_depth = Range::exactly(static_cast<int64_t>(held.size()));
    sent.accept_limit = Range::exactly(plan.backlog);
    expect(sent);
  }
  shake(town.tun, peer);
  if (expected == Answer::cookie) {
    with_cookie.push_back(&peer);
  } else {
    held.push_back({&peer});
  }
}

void Shop::enqueue(Peer& peer) {
  town.tun.send_ack(peer);
  await_queued(peer);
}

void Shop::await_queued(Peer& peer) {
  queued.push_back({&peer});
  order(cat("depth ", queued.size()));
}

// What was sent again before an ACK is to be told from what is sent again after it.
void Shop::await_timer(Held& request) {
  town.tun.drain();
  wait_for("a SYN-ACK that is due again", [&] {
    town.tun.drain();
    return !request.is_timer_near();
  });
}

void Shop::finish_held(size_t at, bool with_data) {
  Held& request = held[at];
  await_timer(request);
  if (!is_full()) {
    enqueue(*take_out(held, at).peer);
    return;
  }
  Expectation dropped = drop(*request.peer, "accept_queue_full", "ack");
  if (town.aborts) {
    // The request is taken away before the packet is freed.
    dropped.syn_depth->low -= 1;
    expect(about(*request.peer, "reset_sent", "abort_on_overflow"));
  }
  expect(dropped);
  if (with_data) {
    town.tun.send_data(*request.peer);
  } else {
    town.tun.send_ack(*request.peer);
  }
  request.was_answered = true;
  town.world.await_explained("ListenOverflows");
  if (town.aborts) {
    town.tun.await_reset(*take_out(held, at).peer);
  }
}

void Shop::finish_with_cookie(size_t at) {
  Peer& peer = *take_out(with_cookie, at);
  if (is_full()) {
    expect(drop(peer, "accept_queue_full", "cookie"));
    town.tun.send_ack(peer);
    town.world.await_explained("ListenOverflows");
  } else {
    town.world.beside("SyncookiesRecv", 1);
    enqueue(peer);
  }
}

// From an address of its own: a request whose SYN-ACK cannot be sent again is dropped at once
// (reqsk_timer_handler()).
void Shop::lose_way_at_last() {
  Peer& peer = newcomer(AF_INET);
  peer.address = TunPeers::roaming_address();
  greet(peer);
  expect(about(peer, "listen_drop", "request_failed", "ack"));
  add_unreachable(peer.address);
  town.tun.send_ack(peer);
  held.back().was_answered = true;
  town.world.await_explained("ListenDrops");
  remove_unreachable(peer.address);
}

void Shop::give_up_held(size_t at) {
  const Held request = take_out(held, at);
  expect(about(*request.peer, "reset_received", "handshake"));
  town.tun.send_reset(*request.peer);
  town.world.await_explained("EmbryonicRsts");
}

void Shop::lose_way_to_held(size_t at) {
  const Held request = take_out(held, at);
  expect(about(*request.peer, "listen_drop", "request_failed", "ack"));
  town.tun.send_host_unreachable(*request.peer);
  town.world.await_explained("ListenDrops");
}

Peer& Shop::accept_and_close() {
  order("accept 1");
  Peer& peer = *queued.front().peer;
  queued.pop_front();
  order("hang-up");
  const unsigned before = half_closed_on(plan.port);
  town.tun.acknowledge_fin(peer);
  wait_for("an end that waits for the client's FIN",
           [&] { return half_closed_on(plan.port) > before; });
  return peer;
}

void Shop::kill(Queued& waiting) {
  const Peer& peer = *waiting.peer;
  expect(about_place(peer, "reset_sent", "other", "queued"));
  if (!kill_connection(Address::parse(TunPeers::server_address(peer.family)), plan.port,
                       Address::parse(TunPeers::address_of(peer)), peer.port)) {
    throw Failure(cat("there is no connection of client ", peer.port, " to kill"));
  }
  town.tun.await_reset(*waiting.peer);
  waiting.is_dead = true;
  waiting.was_killed = true;
}

// Where many requests are young, a SYN-ACK is sent again only twice: 7 s.
bool Shop::give_up_overdue() {
  constexpr std::chrono::seconds overdue{2};
  bool has_given_up = false;
  while (!held.empty() && Clock::now() - held.front().since > overdue) {
    give_up_held(0);
    has_given_up = true;
  }
  return has_given_up;
}

void Shop::accept(size_t count, bool clients_reset) {
  order(cat("accept ", count));
  std::vector<Peer*> alive;
  for (; count > 0; --count) {
    if (!queued.front().is_dead) {
      alive.push_back(queued.front().peer);
    }
    queued.pop_front();
  }
  if (clients_reset) {
    town.reset_established(alive);
  }
  order("hang-up");
  if (!clients_reset) {
    for (Peer* peer : alive) {
      town.tun.answer_fin(*peer);
    }
  }
}

} // namespace acceptwatch::scenarios::storm
