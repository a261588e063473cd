// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/helper.h"
#include "core/wait.h"
#include "families/security_module.h"
#include "families/steps.h"
#include "families/storm_keeper.h"

// What a storm happens to: namespaces with clients in them, and listeners of other processes, each
// with a model of what is in its queues. The model decides what the kernel must do with the next
// packet.
namespace acceptwatch::scenarios::storm {

// The same numbers for the same seed, with every standard library.
class Dice {
public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t below(size_t limit) { return static_cast<size_t>(engine_() % limit); }
  size_t from_to(size_t low, size_t high) { return low + below(high - low + 1); }

private:
  std::mt19937_64 engine_;
};

// What this kernel has.
struct Kernel {
  size_t syn_queue_spare = 0; // how many more requests than its limit a SYN queue holds
  bool has_md5 = false;
  bool has_firewall = false;
  bool kills_connections = false;
  SecurityModule* module = nullptr; // where a program can be one
};

// A namespace, its clients and its sysctls; the caller is in it when it is made.
class Town {
public:
  Town(World& home, int syncookies, bool aborts);

  // A client that has not sent anything yet; from an even or an odd port (0, 1), where that
  // matters.
  Peer& newcomer(uint16_t server_port, int family, std::optional<size_t> parity = std::nullopt);
  // The same, from a port that the firewall drops, or rejects.
  static constexpr uint16_t walled_from = 55000;
  static constexpr uint16_t rejected_from = 60000;
  Peer& walled_newcomer(uint16_t server_port, int family);
  Peer& rejected_newcomer(uint16_t server_port, int family);
  // A SYN to a port where nobody listens. When its RST is there, whatever was sent before has been
  // dealt with: packets through one TUN device are taken in turn.
  void knock_at_closed_port(int family);
  // For each of `peers`, waits for the end of its connection.
  void reset_established(const std::vector<Peer*>& peers);

  World& world;
  TunPeers tun;
  const int syncookies;
  const bool aborts; // tcp_abort_on_overflow
  size_t handshakes = 0;

private:
  uint16_t next_port_ = 5000;
  uint16_t next_walled_ = walled_from;
  uint16_t next_rejected_ = rejected_from;
};

// A request whose last ACK was not sent, or was dropped.
struct Held {
  Peer* peer = nullptr;
  Clock::time_point since = Clock::now();
  bool was_answered = false;
  bool has_repeated = false;
  // When the timer was last set from the beginning, and the SYN-ACKs that had been sent again by
  // then.
  Clock::time_point timer_since = since;
  size_t resends_before = 0;

  // The timer sends a SYN-ACK again after 1 s and 2 s more. Shortly before and after that only the
  // kernel knows whether a packet of the client was first.
  bool is_timer_near() const;
};

struct Queued {
  Peer* peer = nullptr;
  bool is_dead = false;    // reset by either end, and still in the queue
  bool was_killed = false; // by the server's
};

enum class Answer { syn_ack, cookie, syn_queue_full, accept_queue_full };

class Shop {
public:
  Shop(Town& town, const Kernel& kernel, const Plan& plan);

  // listen() and its end. What happened before acceptwatch was started is not expected.
  void open();
  void expect_opened();
  void close();
  // The same, and some of the clients in the middle of a handshake go on.
  void close_on_them(Dice& dice);

  // What the kernel must do with the next SYN.
  Answer answer() const;
  bool is_syn_queue_full() const;
  bool is_full() const { return queued.size() > static_cast<size_t>(plan.backlog); }

  int draw_family(Dice& dice) const;
  Peer& newcomer(int family);
  Peer& newcomer(Dice& dice) { return newcomer(draw_family(dice)); }

  // A SYN that is answered: the client is then among those who hold a request, or a cookie.
  void greet(Peer& peer);
  // The last packet of a handshake: the connection is queued, or the packet is dropped.
  void finish_held(size_t at, bool with_data);
  void finish_with_cookie(size_t at);
  // A handshake whose way back is lost before its last packet (IPv4): there is no connection.
  void lose_way_at_last();
  // The client resets its request.
  void give_up_held(size_t at);
  // A router says that its client cannot be reached (IPv4).
  void lose_way_to_held(size_t at);
  // The next in the queue is accepted and closed, and its client keeps its end open.
  Peer& accept_and_close();
  // Somebody ends a connection that waits in the queue, where it stays.
  void kill(Queued& waiting);
  // Those that the SYN-ACK timer would give up some time soon, because the machine is slow.
  // True when there was one: then the storm is no longer the one that the seed stands for.
  bool give_up_overdue();
  void accept(size_t count, bool clients_reset);
  // This peer's connection is the next in the queue.
  void await_queued(Peer& peer);

  // A record of a packet of this peer.
  Expectation about(const Peer& peer, const std::string& action, const std::string& reason,
                    const std::string& stage = "") const;
  // The same where the record shows only where the packet went to: of two who share a port nobody
  // is named.
  Expectation about_place(const Peer& peer, const std::string& action, const std::string& reason,
                          const std::string& stage) const;
  // The same as about() with both queues as they are now.
  Expectation drop(const Peer& peer, const std::string& reason, const std::string& stage) const;
  void expect(const Expectation& expected) { town.world.expect_more(expected); }
  // Has the process do something, and waits until it is done.
  void order(const std::string& what) const;
  // From here on they share a port: SO_REUSEPORT.
  void pair_with(Shop& other);
  Owner owner() const { return {process_.pid(), process_.name(), 1}; }

  Town& town;
  const Kernel& kernel;
  const Plan plan;
  std::vector<Held> held;
  std::vector<Peer*> with_cookie;
  std::deque<Queued> queued;
  std::vector<Peer*> silent;
  std::set<const Peer*> clients;

private:
  void enqueue(Peer& peer);
  void await_timer(Held& request);
  bool shares_port() const { return partner_ && partner_->is_open_; }

  Helper process_;
  bool is_open_ = false;
  Shop* partner_ = nullptr;
  size_t place_ = 0; // in the group
};

// `from` without the one at `at`.
template <typename Item> Item take_out(std::vector<Item>& from, size_t at) {
  const Item item = from[at];
  from.erase(from.begin() + static_cast<long>(at));
  return item;
}

} // namespace acceptwatch::scenarios::storm
