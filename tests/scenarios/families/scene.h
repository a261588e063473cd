// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/helper.h"
#include "core/socket.h"
#include "core/tun_peers.h"
#include "families/nft.h"
#include "families/obstacles.h"
#include "families/security_module.h"

namespace acceptwatch::scenarios {

// Where one incident happens: a network namespace with peers, a listener, and servers that accept
// as they are told. `acceptwatch explain` watches `port` all the while.
class Scene {
public:
  static constexpr uint16_t port = 9799;

  explicit Scene(uint64_t seed) : random_(seed) {}

  // From `least` to `most`, both included.
  int draw(int least, int most) { return std::uniform_int_distribution<int>{least, most}(random_); }

  TunPeers& tun() { return tun_; }
  Listener& listen(int backlog, bool reuse_port = false);
  Listener& listener() { return *listeners_.front(); }
  void close() { listeners_.clear(); }

  // Handshakes that are complete, one after the other: they wait for accept(), or are accepted.
  void connect(int count);
  // The same with a server that accepts: never more than one waits.
  void connect_and_be_served(int count);
  // One after the other, each until it waits for accept() or its SYN was dropped.
  void connect_or_lose(int count);
  // Until the accept queue is full.
  void fill();
  // SYNs that the kernel drops, and counts. With a full accept queue.
  void overflow(int count);
  // SYNs that are never answered.
  std::vector<Peer*> knock(int count);
  // Clients that have sent nothing yet.
  std::vector<Peer*> strangers(int count);
  // Whole handshakes whose connections nobody waits for: of clients that a cookie answered.
  void shake_with_cookies(int count);

  // Another process that holds the listener and accepts: whatever comes at once, or one connection
  // in a while. It begins when it is told to.
  void accept_all();
  void accept_slowly(std::chrono::milliseconds pause);
  // A server of its own that has no descriptor left for the connections that wait.
  void serve_without_descriptors(int backlog);
  // One that has opened the last files of the host; as the superuser it may go on.
  void serve_without_files(int backlog, bool as_superuser);

  // A process of its own that listens, accepts nothing, and ends its listener, or itself, in some
  // way when it is told to.
  void serve_until(const std::function<void(Listener&)>& ends);
  void end_server();

  // Until the scene is over.
  void have_module_refuse(uint16_t of_port) { module_.emplace().refuse(of_port); }

  std::optional<pid_t> owner() const { return owner_; }

private:
  Peer& next_peer() { return tun_.add(next_port_++, port); }
  void hire(const std::string& name, const Helper::Body& body);

  std::mt19937_64 random_;
  TunPeers tun_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Helper> servers_;
  std::optional<SecurityModule> module_;
  std::optional<FewFiles> few_files_;
  std::optional<pid_t> owner_;
  uint16_t next_port_ = 20001;
};

struct Incident {
  std::string name;
  // What `explain` has to say; empty: that it has seen nothing.
  std::set<std::string> findings;
  // What it may say besides.
  std::set<std::string> companions;
  std::function<void(Scene&)> prepare; // before acceptwatch is started
  std::function<void(Scene&)> play;
  // Without records of these nothing can be said: a tier that is blind to them is let off.
  std::string action;
  std::string reason;
  bool on_request = false; // changes a limit of the whole host: only played when it is named
};

std::vector<Incident> all_incidents();

} // namespace acceptwatch::scenarios
