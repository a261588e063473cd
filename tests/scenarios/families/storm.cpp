// SPDX-License-Identifier: Apache-2.0
// Thousands of handshakes with fates drawn at random, in three namespaces, to seven listeners of
// seven processes: two share a port, and one is of MPTCP where the kernel has that.
#include "families/storm.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>

#include "core/error.h"
#include "families/families.h"
#include "families/nft.h"
#include "families/obstacles.h"
#include "families/security_module.h"
#include "families/signatures.h"
#include "families/storm_fates.h"

namespace acceptwatch::scenarios {

namespace {

using namespace storm;

// From here on all that can happen is so likely to have happened that its absence is a mistake.
constexpr size_t enough_for_everything = 1000;

// The scenarios of signatures and of the firewall say so when a kernel has none: here that is only
// one fate less.
bool is_there(const std::function<void()>& use) {
  try {
    use();
    return true;
  } catch (const Skip&) {
    return false;
  }
}

// Of MPTCP not all can be told then, before 6.2.
bool is_locked_down() {
  std::ifstream file("/sys/kernel/security/lockdown");
  std::string words;
  std::getline(file, words);
  return words.find("[confidentiality]") != std::string::npos;
}

class Storm {
public:
  Storm(Stage& stage, uint64_t seed, size_t handshakes)
      : stage_(stage), dice_(seed), handshakes_(handshakes) {}

  void play();

private:
  void build();
  void add_shop(Town& town, Plan plan);
  void learn_kernel(Town& town);
  void put_up_walls();
  void strike();
  void finish();
  void claim_everything_happened();
  size_t handshakes() const;
  void each_shop(const std::function<void(Shop&)>& visit);

  Stage& stage_;
  Dice dice_;
  size_t handshakes_;
  bool follows_seed_ = true; // not on a machine that is too slow for it
  std::optional<SecurityModule> module_;
  Kernel kernel_;
  std::vector<std::unique_ptr<Town>> towns_;
  std::vector<std::unique_ptr<Shop>> shops_;
};

void Storm::each_shop(const std::function<void(Shop&)>& visit) {
  for (const auto& shop : shops_) {
    shop->town.world.enter();
    visit(*shop);
  }
}

void Storm::add_shop(Town& town, Plan plan) {
  plan.name = cat("aw-storm-", shops_.size() + 1);
  plan.port = static_cast<uint16_t>(9201 + shops_.size());
  plan.bound_to = dice_.below(3) == 0 ? "0.0.0.0" : "::";
  const bool shares_port = plan.is_paired && !shops_.empty() && shops_.back()->plan.is_paired;
  if (shares_port) {
    plan.port = shops_.back()->plan.port;
    plan.bound_to = shops_.back()->plan.bound_to;
  }
  // Silent clients must never fill the SYN queue.
  plan.backlog = static_cast<int>(plan.gives_up_early ? dice_.from_to(8, 12) : dice_.from_to(2, 8));
  shops_.push_back(std::make_unique<Shop>(town, kernel_, plan));
  if (shares_port) {
    shops_.back()->pair_with(*shops_[shops_.size() - 2]);
  }
}

// Three sorts of SYN cookies; one of the namespaces that keep requests resets on overflow.
void Storm::build() {
  const bool aborts_in_first = dice_.below(2) == 0;
  towns_.push_back(std::make_unique<Town>(stage_.world(), 0, aborts_in_first));
  learn_kernel(*towns_[0]);
  add_shop(*towns_[0], {.is_paired = true});
  add_shop(*towns_[0], {.is_paired = true});
  add_shop(*towns_[0], {.gives_up_early = true});
  towns_.push_back(std::make_unique<Town>(stage_.add_world(), 1, !aborts_in_first));
  add_shop(*towns_[1], {});
  add_shop(*towns_[1], {});
  add_shop(*towns_[1], {.is_mptcp = has_mptcp() && !is_locked_down()});
  towns_.push_back(std::make_unique<Town>(stage_.add_world(), 2, false));
  add_shop(*towns_[2], {});
  put_up_walls();
}

// inet_csk_reqsk_queue_is_full() was "qlen >= max" and is "qlen > max": a kernel shows which.
void Storm::learn_kernel(Town& town) {
  constexpr uint16_t port = 9200;
  constexpr size_t backlog = 2;
  const Listener listener({.port = port, .backlog = backlog});
  size_t let_in = 0;
  while (town.world.moved("TCPReqQFullDrop") == 0) {
    Peer& peer = town.newcomer(port, AF_INET);
    town.tun.send_syn(peer);
    wait_for("a SYN-ACK or a full SYN queue", [&] {
      town.tun.drain();
      return peer.syn_acks > 0 || town.world.moved("TCPReqQFullDrop") > 0;
    });
    let_in += peer.syn_acks;
  }
  kernel_.syn_queue_spare = let_in - backlog;
  kernel_.has_md5 = is_there([&] { want_signatures(listener, TunPeers::client_address(AF_INET)); });
  kernel_.kills_connections = kills_connections();
  if (has_bpf_modules()) {
    kernel_.module = &module_.emplace();
  }
}

void Storm::put_up_walls() {
  kernel_.has_firewall = is_there([this] {
    each_shop([](const Shop& shop) { // the first rule that fits decides
      reject_by_firewall(Hook::input, shop.plan.port, Town::rejected_from);
      drop_by_firewall(Hook::input, shop.plan.port, Town::walled_from);
    });
  });
}

size_t Storm::handshakes() const {
  size_t sum = 0;
  for (const auto& town : towns_) {
    sum += town->handshakes;
  }
  return sum;
}

const Fate& draw_fate(const Shop& shop, Dice& dice) {
  size_t weights = 0;
  for (const Fate& fate : fates()) {
    weights += fate.is_possible(shop) ? fate.weight : 0;
  }
  size_t drawn = dice.below(weights);
  for (const Fate& fate : fates()) {
    if (fate.is_possible(shop)) {
      if (drawn < fate.weight) {
        return fate;
      }
      drawn -= fate.weight;
    }
  }
  throw Failure("no fate was drawn");
}

void Storm::strike() {
  while (handshakes() < handshakes_) {
    each_shop([&](Shop& shop) { follows_seed_ = !shop.give_up_overdue() && follows_seed_; });
    Shop& shop = *shops_[dice_.below(shops_.size())];
    const Fate& fate = draw_fate(shop, dice_);
    shop.town.world.enter();
    try {
      fate.play(shop, dice_);
    } catch (const Failure& failure) {
      throw Failure(cat("after ", handshakes(), " handshakes, ", fate.name, " at ", shop.plan.name,
                        ": ", failure.what()));
    }
  }
}

// Those that wait for no timer first.
void Storm::finish() {
  std::stable_partition(shops_.begin(), shops_.end(),
                        [](const auto& shop) { return !shop->plan.gives_up_early; });
  each_shop([this](Shop& shop) {
    wait_for("the silent clients to be given up",
             [&] { return shop.silent.empty() || embryos_on(shop.plan.port) == 0; });
    shop.town.tun.drain();
    for (const Peer* peer : shop.silent) {
      stage_.claim(peer->resends.size() == 1,
                   cat("port ", peer->port, " got a second SYN-ACK, and no third"));
    }
    shop.silent.clear();
    shop.close();
    for (const Expectation& resend :
         resends_of(shop.town.tun, shop.owner(), "ack_dropped",
                    [&](const Peer& peer) { return shop.clients.count(&peer) > 0; })) {
      shop.expect(resend);
    }
  });
}

struct Kind {
  const char* action;
  const char* reason;
  const char* stage;
};

// Not those that a kernel may be unable to do: firewall, authentication, security module, and
// `ss --kill`.
constexpr Kind everything[] = {
    {"listen_drop", "accept_queue_full", "syn"},
    {"listen_drop", "accept_queue_full", "ack"},
    {"listen_drop", "accept_queue_full", "cookie"},
    {"listen_drop", "syn_queue_full", "syn"},
    {"listen_drop", "cookie_invalid", "cookie"},
    {"listen_drop", "socket_filter", "syn"},
    {"listen_drop", "no_route", "syn"},
    {"listen_drop", "request_failed", "ack"},
    {"syncookie_sent", "syn_queue_full", "syn"},
    {"syncookie_sent", "always", "syn"},
    {"synack_retransmit", "no_ack", ""},
    {"handshake_expired", "no_ack", ""},
    {"reset_sent", "no_listener", ""},
    {"reset_sent", "handshake_invalid", ""},
    {"reset_sent", "abort_on_overflow", ""},
    {"reset_sent", "listener_closed", ""},
    {"reset_sent", "listener_closed", "ack"},
    {"reset_sent", "other", "syn"},
    {"reset_received", "handshake", ""},
    {"reset_received", "queued", ""},
};

bool is_among(const std::vector<Expectation>& all, const Kind& kind) {
  return std::any_of(all.begin(), all.end(), [&](const Expectation& expected) {
    return expected.action == kind.action && expected.reason == kind.reason &&
           expected.stage == kind.stage;
  });
}

void Storm::claim_everything_happened() {
  for (const Kind& kind : everything) {
    const bool has_happened = std::any_of(towns_.begin(), towns_.end(), [&](const auto& town) {
      return is_among(town->world.report().expected, kind);
    });
    stage_.claim(has_happened, cat("there was ", kind.action, "/", kind.reason, " ", kind.stage));
  }
}

void Storm::play() {
  build();
  // Some are older than acceptwatch.
  std::vector<bool> is_old;
  each_shop([&](Shop& shop) {
    is_old.push_back(dice_.below(2) == 0);
    if (is_old.back()) {
      shop.open();
    }
  });
  stage_.go();
  each_shop([&, at = size_t{0}](Shop& shop) mutable {
    if (!is_old[at++]) {
      shop.open();
      shop.expect_opened();
    }
  });
  strike();
  finish();
  if (handshakes_ >= enough_for_everything && follows_seed_) {
    claim_everything_happened();
  }
}

} // namespace

Scenario storm_of(uint64_t seed, size_t handshakes) {
  return {cat("storm_", seed), cat(handshakes, " handshakes with fates drawn by seed ", seed),
          [=](Stage& stage) { Storm(stage, seed, handshakes).play(); }};
}

std::vector<Scenario> storm_scenarios() {
  Scenario large = storm_of(3, 2500);
  large.on_request = true;
  return {storm_of(1, 2000), large};
}

} // namespace acceptwatch::scenarios
