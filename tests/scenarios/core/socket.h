// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/unique_fd.h"

namespace acceptwatch::scenarios {

struct ListenerOptions {
  std::string address = "0.0.0.0";
  uint16_t port = 0;
  int backlog = 0;
  bool reuse_port = false;
  int defer_accept = 0; // seconds
  int fast_open = 0;    // how many may be pending
  int protocol = IPPROTO_TCP;
};

// IPPROTO_MPTCP, which Debian 12's <netinet/in.h> has not, and whether this kernel has it.
inline constexpr int ipproto_mptcp = 262;
bool has_mptcp();

// Of every listener of that port in this namespace, from /proc/net/tcp and tcp6: connections that
// wait to be accepted, requests in SYN_RECV, ends in TIME_WAIT, and ends that wait for the
// client's FIN.
unsigned waiting_on(uint16_t port);
unsigned embryos_on(uint16_t port);
unsigned time_waits_on(uint16_t port);
unsigned half_closed_on(uint16_t port);

// A listening socket whose queues can be looked into.
class Listener {
public:
  explicit Listener(const ListenerOptions& options);
  Listener(UniqueFd fd, uint16_t port) : fd_(std::move(fd)), port_(port) {}

  void listen(int backlog);
  // sk_ack_backlog and sk_max_ack_backlog, which tcp_get_info() reports for a listener as
  // tcpi_unacked and tcpi_sacked.
  unsigned depth() const;
  unsigned limit() const;
  bool is_mptcp() const;
  unsigned embryos() const { return embryos_on(port_); }
  UniqueFd accept();
  void close() { fd_.reset(); }

  int fd() const { return fd_.get(); }
  uint16_t port() const { return port_; }
  const std::string& address() const { return address_; }

private:
  void bind_to(const sockaddr_storage& address, socklen_t size, const std::string& place);

  UniqueFd fd_;
  uint16_t port_ = 0;
  std::string address_;
};

// A TCP client of the kernel's own, from a port that the test chose.
class Client {
public:
  // Starts connecting and does not wait.
  Client(const std::string& address, uint16_t port, uint16_t own_port);

  bool connected() const;
  void await_connected() const;
  // The error that ended the connection, 0 as long as there is none. Asking for it clears it, as
  // SO_ERROR does.
  int error() const;
  int await_error() const;
  // How often the kernel has sent something of this connection again (tcpi_total_retrans).
  unsigned retransmits() const;
  void send_byte();
  // Ends without a packet: tcp_close() of a socket in repair mode only forgets it. An ordinary
  // close would send a FIN, and to a server that dropped the handshake's last packet that FIN is
  // one more packet to drop.
  void vanish();
  void close() { fd_.reset(); }
  void close_with_reset();

  int fd() const { return fd_.get(); }
  uint16_t port() const { return port_; }

private:
  UniqueFd fd_;
  uint16_t port_;
};

// As socket(2) wants it; returns the length.
socklen_t to_sockaddr(const std::string& address, uint16_t port, sockaddr_storage& out);

} // namespace acceptwatch::scenarios
