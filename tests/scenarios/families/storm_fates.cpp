// SPDX-License-Identifier: Apache-2.0
// One entry of the table for each thing that can happen: how it is provoked, and what is expected.
#include "families/storm_fates.h"

#include <algorithm>

#include "core/error.h"

namespace acceptwatch::scenarios::storm {

namespace {

constexpr size_t most_silent = 4;

bool is_answered(const Shop& shop) {
  return shop.answer() == Answer::syn_ack || shop.answer() == Answer::cookie;
}

bool always(const Shop&) { return true; }

// Queued, and accepted some time later, or whatever else befalls it there.
void handshake(Shop& shop, Dice& dice) {
  shop.greet(shop.newcomer(dice));
  if (shop.town.syncookies == 2) {
    shop.finish_with_cookie(shop.with_cookie.size() - 1);
  } else {
    shop.finish_held(shop.held.size() - 1, false);
  }
}

bool can_handshake(const Shop& shop) {
  return shop.town.syncookies == 2 ? is_answered(shop) : shop.answer() == Answer::syn_ack;
}

// Data with the SYN: the connection is queued before the handshake ends.
void fast_open(Shop& shop, Dice& dice) {
  Peer& peer = shop.newcomer(dice);
  shop.town.tun.send_syn_with_data(peer);
  shop.await_queued(peer);
  shop.town.tun.await_syn_ack(peer);
  peer.isn += 1; // the byte
  shop.town.tun.send_ack(peer);
  shop.town.knock_at_closed_port(AF_INET);
}

bool keeps_requests(const Shop& shop) { return shop.answer() == Answer::syn_ack; }

// Not every kernel has such options for MPTCP.
bool speaks_tcp(const Shop& shop) { return !shop.plan.is_mptcp; }

bool can_open_fast(const Shop& shop) { return keeps_requests(shop) && speaks_tcp(shop); }

// TCP_DEFER_ACCEPT for one connection: its bare ACK is dropped, and no loss.
void defer(Shop& shop, Dice& dice) {
  shop.order("defer 30");
  Peer& peer = shop.newcomer(dice);
  shake(shop.town.tun, peer);
  shop.town.world.beside("TCPDeferAcceptDrop", 1);
  shop.town.tun.send_ack(peer);
  shop.town.world.await_explained("TCPDeferAcceptDrop");
  shop.town.tun.send_data(peer);
  peer.isn += 1; // the byte
  shop.await_queued(peer);
  shop.order("defer 0");
}

// A request whose ACK was dropped before would have its SYN-ACK sent again for another reason.
bool can_defer(const Shop& shop) {
  return can_open_fast(shop) &&
         std::none_of(shop.held.begin(), shop.held.end(),
                      [](const Held& request) { return request.was_answered; });
}

void accept(Shop& shop, Dice& dice) {
  const bool clients_reset = dice.below(3) == 0;
  shop.accept(dice.from_to(1, shop.queued.size()), clients_reset);
}

// The last ACK, or a cookie, is kept back: the queue may be full when it is sent.
void keep_back(Shop& shop, Dice& dice) { shop.greet(shop.newcomer(dice)); }

bool can_keep_back(const Shop& shop) { return is_answered(shop) && !shop.plan.gives_up_early; }

void lose_syns(Shop& shop, Dice& dice) {
  const bool is_accept_queue = shop.answer() == Answer::accept_queue_full;
  const bool decides_for_cookie = is_accept_queue && shop.town.syncookies > 0 &&
                                  (shop.town.syncookies == 2 || shop.is_syn_queue_full());
  for (size_t left = dice.from_to(1, 6); left > 0; --left) {
    Peer& peer = shop.newcomer(dice);
    Expectation dropped =
        shop.drop(peer, is_accept_queue ? "accept_queue_full" : "syn_queue_full", "syn");
    if (!is_accept_queue) {
      // "The limit that the kernel really applies": one less than the backlog is said of it where
      // as many requests as that are already too many.
      const int less = shop.kernel.syn_queue_spare == 0 ? 1 : 0;
      dropped.syn_limit = Range{shop.plan.backlog - less, shop.plan.backlog};
    }
    if (decides_for_cookie) {
      dropped.also = "TCPReqQFullDoCookies";
    }
    shop.expect(dropped);
    shop.town.tun.send_syn(peer);
  }
  shop.town.world.await_explained("ListenDrops");
}

// All that the SYN queue takes, and more: those are dropped, or go by cookie.
void crowd(Shop& shop, Dice& dice) {
  while (shop.answer() == Answer::syn_ack) {
    keep_back(shop, dice);
  }
  if (is_answered(shop)) {
    keep_back(shop, dice);
  } else {
    lose_syns(shop, dice);
  }
}

bool can_crowd(const Shop& shop) { return can_keep_back(shop) && shop.answer() == Answer::syn_ack; }

void finish_held(Shop& shop, Dice& dice) {
  const size_t at = dice.below(shop.held.size());
  shop.finish_held(at, shop.is_full() && dice.below(3) == 0);
}

void finish_with_cookie(Shop& shop, Dice& dice) {
  shop.finish_with_cookie(dice.below(shop.with_cookie.size()));
}

void reset_held(Shop& shop, Dice& dice) { shop.give_up_held(dice.below(shop.held.size())); }

// The connection stays in the queue, dead.
void reset_queued(Shop& shop, Dice& dice) {
  Queued& waiting = shop.queued[dice.below(shop.queued.size())];
  if (waiting.is_dead) {
    return;
  }
  shop.expect(shop.about_place(*waiting.peer, "reset_received", "queued", ""));
  shop.town.reset_established({waiting.peer});
  waiting.is_dead = true;
}

// `ss --kill`: as when keepalive or a user time-out gives it up.
void kill_queued(Shop& shop, Dice& dice) {
  Queued& waiting = shop.queued[dice.below(shop.queued.size())];
  if (!waiting.is_dead) {
    shop.kill(waiting);
  }
}

bool can_kill(const Shop& shop) { return shop.kernel.kills_connections && !shop.queued.empty(); }

// The server has closed, its client has not, and begins anew from the same port.
void half_closed(Shop& shop, Dice&) {
  Peer& peer = shop.accept_and_close();
  peer.isn += 100; // inside the old connection's window
  shop.expect(shop.about_place(peer, "reset_sent", "other", "syn"));
  shop.town.tun.send_syn(peer);
  shop.town.tun.await_reset(peer);
}

bool can_half_close(const Shop& shop) {
  return !shop.plan.is_mptcp && !shop.queued.empty() && !shop.queued.front().is_dead;
}

// The route goes away before the last ACK, and comes back. (Where a RST is due, it has none.)
void lose_route(Shop& shop, Dice&) { shop.lose_way_at_last(); }

bool can_lose_route(const Shop& shop) {
  return !shop.town.aborts && can_keep_back(shop) && keeps_requests(shop);
}

void unreachable(Shop& shop, Dice&) { shop.lose_way_to_held(0); }

bool can_be_unreachable(const Shop& shop) {
  return !shop.held.empty() && shop.held.front().peer->family == AF_INET;
}

// A SYN again before the last ACK is answered again, at once.
void repeat_syn(Shop& shop, Dice& dice) {
  Held& request = shop.held[dice.below(shop.held.size())];
  if (request.was_answered || request.has_repeated) {
    return; // a second one within half a second is not answered
  }
  TunPeers& tun = shop.town.tun;
  tun.drain();
  const unsigned before = request.peer->syn_acks;
  tun.send_syn(*request.peer);
  wait_for("a SYN-ACK for a second SYN", [&] {
    tun.drain();
    return request.peer->syn_acks > before;
  });
  request.has_repeated = true;
  request.timer_since = Clock::now();
  request.resends_before = request.peer->resends.size();
}

void closed_port(Shop& shop, Dice& dice) {
  shop.town.knock_at_closed_port(dice.below(2) == 0 ? AF_INET : AF_INET6);
}

// An ACK out of the blue. Whether it was looked at as a cookie, because the listener had sent one
// not long ago, is the kernel's business: it counts that.
void stray_ack(Shop& shop, Dice& dice) {
  Peer& peer = shop.newcomer(dice);
  const int64_t before = shop.town.world.moved("SyncookiesFailed");
  shop.town.tun.send_ack_of(peer, 0x12345678);
  shop.town.tun.await_reset(peer);
  if (shop.town.world.moved("SyncookiesFailed") > before) {
    shop.expect(shop.about(peer, "listen_drop", "cookie_invalid", "cookie"));
  }
  shop.expect(shop.about(peer, "reset_sent", "handshake_invalid"));
}

void socket_filter(Shop& shop, Dice& dice) {
  shop.order("filter");
  for (size_t left = dice.from_to(1, 3); left > 0; --left) {
    Peer& peer = shop.newcomer(dice);
    shop.expect(shop.about(peer, "listen_drop", "socket_filter", "syn"));
    shop.town.tun.send_syn(peer);
  }
  shop.town.knock_at_closed_port(AF_INET);
  shop.order("unfilter");
}

void firewall(Shop& shop, Dice& dice) {
  for (size_t left = dice.from_to(1, 3); left > 0; --left) {
    Peer& peer = shop.town.walled_newcomer(shop.plan.port, shop.draw_family(dice));
    shop.expect(shop.about_place(peer, "listen_drop", "firewall", "syn"));
    shop.town.tun.send_syn(peer);
  }
  shop.town.knock_at_closed_port(AF_INET);
}

void firewall_rejects(Shop& shop, Dice& dice) {
  for (size_t left = dice.from_to(1, 3); left > 0; --left) {
    Peer& peer = shop.town.rejected_newcomer(shop.plan.port, shop.draw_family(dice));
    shop.expect(shop.about_place(peer, "listen_drop", "firewall", "syn"));
    shop.expect(shop.about_place(peer, "reset_sent", "firewall", "syn"));
    shop.town.tun.send_syn(peer);
    shop.town.tun.await_reset(peer);
  }
}

bool has_firewall(const Shop& shop) { return shop.kernel.has_firewall; }

void no_route(Shop& shop, Dice& dice) {
  for (size_t left = dice.from_to(1, 3); left > 0; --left) {
    Peer& peer = shop.newcomer(AF_INET);
    peer.address = TunPeers::away_address(); // there is no way back
    shop.expect(shop.about(peer, "listen_drop", "no_route", "syn"));
    shop.town.tun.send_syn(peer);
  }
  shop.town.world.await_explained("ListenDrops");
}

// Asked when the request is made, whatever the queues hold.
void security_module(Shop& shop, Dice& dice) {
  shop.kernel.module->refuse(shop.plan.port);
  for (size_t left = dice.from_to(1, 3); left > 0; --left) {
    Peer& peer = shop.newcomer(dice);
    shop.expect(shop.about(peer, "listen_drop", "security_module", "syn"));
    shop.town.tun.send_syn(peer);
  }
  shop.town.world.await_explained("ListenDrops");
  shop.kernel.module->refuse(0);
}

bool has_module(const Shop& shop) { return shop.kernel.module && keeps_requests(shop); }

// RFC 2385 signatures are asked for, and this client signs nothing.
void authentication(Shop& shop, Dice& dice) {
  const int family = shop.draw_family(dice);
  const bool is_mapped = family == AF_INET && shop.plan.bound_to == "::";
  const std::string client = (is_mapped ? "::ffff:" : "") + TunPeers::client_address(family);
  shop.order("sign " + client);
  for (size_t left = dice.from_to(1, 3); left > 0; --left) {
    Peer& peer = shop.newcomer(family);
    shop.expect(shop.about(peer, "listen_drop", "authentication", "syn"));
    shop.town.world.beside("TCPMD5NotFound", 1);
    shop.town.tun.send_syn(peer);
  }
  shop.town.world.await_explained("TCPMD5NotFound");
  shop.order("unsign " + client);
}

// Before 6.11 the kernel does not say of which listener it drops a packet like that.
bool has_own_port(const Shop& shop) { return speaks_tcp(shop) && !shop.plan.is_paired; }

bool has_md5(const Shop& shop) { return shop.kernel.has_md5 && has_own_port(shop); }

// The process has no descriptor left: accept() fails (EMFILE), and whoever waits goes on waiting.
void no_descriptor(Shop& shop, Dice& dice) {
  shop.order("exhaust");
  if (can_handshake(shop)) {
    handshake(shop, dice);
  } else {
    lose_syns(shop, dice);
  }
  shop.order("relieve");
}

bool can_lack_descriptors(const Shop& shop) {
  return speaks_tcp(shop) && !shop.queued.empty() && (can_handshake(shop) || !is_answered(shop));
}

// A client that is never heard of again: timers end that, a second and three seconds later.
void silence(Shop& shop, Dice& dice) {
  Peer& peer = shop.newcomer(dice);
  shake(shop.town.tun, peer);
  shop.silent.push_back(&peer);
  shop.expect(shop.about(peer, "handshake_expired", "no_ack"));
}

bool can_be_silent(const Shop& shop) {
  return shop.plan.gives_up_early && shop.silent.size() < most_silent &&
         shop.answer() == Answer::syn_ack;
}

void restart(Shop& shop, Dice& dice) {
  shop.close_on_them(dice);
  shop.open();
  shop.expect_opened();
}

// Requests that outlive their listener are not given up by the timer.
bool can_restart(const Shop& shop) { return shop.silent.empty(); }

} // namespace

const std::vector<Fate>& fates() {
  static const std::vector<Fate> table = {
      {"handshake", 60, can_handshake, handshake},
      {"fast open", 5, can_open_fast, fast_open},
      {"defer", 5, can_defer, defer},
      {"accept", 12, [](const Shop& shop) { return !shop.queued.empty(); }, accept},
      {"keep back", 20, can_keep_back, keep_back},
      {"crowd", 6, can_crowd, crowd},
      {"lose SYNs", 20, [](const Shop& shop) { return !is_answered(shop); }, lose_syns},
      {"finish held", 12, [](const Shop& shop) { return !shop.held.empty(); }, finish_held},
      {"finish with cookie", 20, [](const Shop& shop) { return !shop.with_cookie.empty(); },
       finish_with_cookie},
      {"reset held", 6, [](const Shop& shop) { return !shop.held.empty(); }, reset_held},
      {"reset queued", 6, [](const Shop& shop) { return !shop.queued.empty(); }, reset_queued},
      {"repeat SYN", 3, [](const Shop& shop) { return !shop.held.empty(); }, repeat_syn},
      {"closed port", 6, always, closed_port},
      {"stray ACK", 6, always, stray_ack},
      {"socket filter", 4, has_own_port, socket_filter},
      {"firewall", 4, has_firewall, firewall},
      {"firewall rejects", 4, has_firewall, firewall_rejects},
      {"kill queued", 4, can_kill, kill_queued},
      {"half closed", 4, can_half_close, half_closed},
      {"unreachable", 4, can_be_unreachable, unreachable},
      {"authentication", 4, has_md5, authentication},
      {"route lost", 4, can_lose_route, lose_route},
      {"security module", 4, has_module, security_module},
      {"no route", 4, keeps_requests, no_route},
      {"no descriptor", 4, can_lack_descriptors, no_descriptor},
      {"silence", 4, can_be_silent, silence},
      {"restart", 2, can_restart, restart},
  };
  return table;
}

} // namespace acceptwatch::scenarios::storm
