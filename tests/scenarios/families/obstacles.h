// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "core/helper.h"
#include "core/packet.h"
#include "core/socket.h"

// What stands in the way of a handshake besides queues, the firewall (nft.h) and signatures
// (signatures.h).
namespace acceptwatch::scenarios {

// A socket filter (SO_ATTACH_FILTER) that lets everything pass, or nothing.
void attach_filter(const Listener& listener, bool passes);

// "unreachable", as `ip route add unreachable` would make it, and its end.
void add_unreachable(const std::string& address);
void remove_unreachable(const std::string& address);

// `ss --kill` of the server's end of a connection, where this kernel can do that
// (CONFIG_INET_DIAG_DESTROY). False: there is no such connection.
bool kills_connections();
bool kill_connection(const Address& server, uint16_t server_port, const Address& client,
                     uint16_t client_port);

// A moment in which no memory is to be had at once on the whole host (vm.min_free_kbytes is more
// than there is): what is in use stays so, and allocators live on what they have at hand. Whoever
// had to wait for memory meanwhile would be killed for it; so nobody else runs.
class MemoryShortage {
public:
  // Nothing is short yet. Until it is over, this process runs before all others, on one CPU.
  MemoryShortage();
  ~MemoryShortage();
  MemoryShortage(const MemoryShortage&) = delete;
  MemoryShortage& operator=(const MemoryShortage&) = delete;

  void begin() const;
  void end() const;

private:
  void set(const std::string& kilobytes) const;

  UniqueFd limit_;
  std::string usual_;
  std::string too_much_;
  // On each other CPU, one that runs before all others.
  std::atomic<bool>* keeps_busy_;
  std::vector<Helper> busy_;
};

// The host has only some files left (fs.file-max), until that is over.
class FewFiles {
public:
  explicit FewFiles(unsigned left);
  ~FewFiles();
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

private:
  std::string usual_;
};

// So many connections of each network namespace are tracked at most, until that is over
// (net.netfilter.nf_conntrack_max).
class FewTracked {
public:
  explicit FewTracked(long most);
  ~FewTracked();
  FewTracked(const FewTracked&) = delete;
  FewTracked& operator=(const FewTracked&) = delete;

private:
  long usual_;
};

} // namespace acceptwatch::scenarios
