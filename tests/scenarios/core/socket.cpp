// SPDX-License-Identifier: Apache-2.0
#include "core/socket.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "core/error.h"
#include "core/packet.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

namespace {

// Values of <net/tcp_states.h>, as /proc/net/tcp and tcpi_state show them.
constexpr unsigned state_established = 1;
constexpr unsigned state_syn_recv = 3;
constexpr unsigned state_fin_wait2 = 5;
constexpr unsigned state_time_wait = 6;
constexpr unsigned state_listen = 10;

tcp_info info_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  must(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  return info;
}

void set_option(int fd, int level, int option, int value, const std::string& name) {
  must(::setsockopt(fd, level, option, &value, sizeof(value)), name);
}

UniqueFd make_socket(int family, int protocol = IPPROTO_TCP) {
  return UniqueFd(
      must(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), "socket"));
}

// A line of /proc/net/tcp: "sl local remote st tx_queue:rx_queue …", numbers in hexadecimal.
struct SocketLine {
  uint16_t port = 0;
  unsigned state = 0;
  unsigned receive_queue = 0;
};

SocketLine parse_socket_line(const std::string& line) {
  std::istringstream fields(line);
  std::string slot;
  std::string local;
  std::string remote;
  std::string state;
  std::string queues;
  fields >> slot >> local >> remote >> state >> queues;
  SocketLine result;
  result.port = static_cast<uint16_t>(std::stoul(local.substr(local.find(':') + 1), nullptr, 16));
  result.state = static_cast<unsigned>(std::stoul(state, nullptr, 16));
  result.receive_queue =
      static_cast<unsigned>(std::stoul(queues.substr(queues.find(':') + 1), nullptr, 16));
  return result;
}

void each_socket(uint16_t port, const std::function<void(const SocketLine&)>& take) {
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      if (const SocketLine socket = parse_socket_line(line); socket.port == port) {
        take(socket);
      }
    }
  }
}

unsigned count_in_state(uint16_t port, unsigned state) {
  unsigned result = 0;
  each_socket(port, [&](const SocketLine& socket) { result += socket.state == state ? 1 : 0; });
  return result;
}

} // namespace

bool has_mptcp() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, ipproto_mptcp)).valid();
}

unsigned waiting_on(uint16_t port) {
  unsigned result = 0;
  each_socket(port, [&](const SocketLine& socket) {
    // get_tcp4_sock() shows sk_ack_backlog as the receive queue of a listener.
    result += socket.state == state_listen ? socket.receive_queue : 0;
  });
  return result;
}

unsigned embryos_on(uint16_t port) { return count_in_state(port, state_syn_recv); }

unsigned time_waits_on(uint16_t port) { return count_in_state(port, state_time_wait); }

unsigned half_closed_on(uint16_t port) { return count_in_state(port, state_fin_wait2); }

socklen_t to_sockaddr(const std::string& address, uint16_t port, sockaddr_storage& out) {
  const Address parsed = Address::parse(address);
  out = {};
  if (parsed.family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, parsed.bytes.data(), sizeof(v4.sin_addr));
    std::memcpy(&out, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, parsed.bytes.data(), sizeof(v6.sin6_addr));
  std::memcpy(&out, &v6, sizeof(v6));
  return sizeof(v6);
}

Listener::Listener(const ListenerOptions& options)
    : port_(options.port), address_(options.address) {
  sockaddr_storage address;
  const socklen_t size = to_sockaddr(options.address, options.port, address);
  fd_ = make_socket(address.ss_family, options.protocol);
  set_option(fd(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (options.reuse_port) {
    set_option(fd(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
  }
  if (address.ss_family == AF_INET6) {
    set_option(fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY");
  }
  if (options.defer_accept > 0) {
    set_option(fd(), IPPROTO_TCP, TCP_DEFER_ACCEPT, options.defer_accept, "TCP_DEFER_ACCEPT");
  }
  if (options.fast_open > 0) {
    set_option(fd(), IPPROTO_TCP, TCP_FASTOPEN, options.fast_open, "TCP_FASTOPEN");
  }
  bind_to(address, size, cat(options.address, " port ", options.port));
  listen(options.backlog);
}

// A listener that was just closed is there for a moment longer while acceptwatch looks at it:
// a task-file iterator and readlink() of /proc/PID/fd/N hold the file.
void Listener::bind_to(const sockaddr_storage& address, socklen_t size, const std::string& place) {
  int error = 0;
  wait_for(place + " to be free", [&] {
    error = ::bind(fd(), reinterpret_cast<const sockaddr*>(&address), size) == 0 ? 0 : errno;
    return error != EADDRINUSE;
  });
  errno = error;
  must(error == 0 ? 0 : -1, "bind to " + place);
}

void Listener::listen(int backlog) { must(::listen(fd(), backlog), "listen"); }

unsigned Listener::depth() const { return info_of(fd()).tcpi_unacked; }

unsigned Listener::limit() const { return info_of(fd()).tcpi_sacked; }

bool Listener::is_mptcp() const {
  int protocol = 0;
  socklen_t size = sizeof(protocol);
  must(::getsockopt(fd(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size), "SO_PROTOCOL");
  return protocol == ipproto_mptcp;
}

UniqueFd Listener::accept() {
  UniqueFd result;
  wait_for("a connection to accept", [&] {
    result = UniqueFd(::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return result.valid();
  });
  return result;
}

Client::Client(const std::string& address, uint16_t port, uint16_t own_port) : port_(own_port) {
  sockaddr_storage destination;
  const socklen_t size = to_sockaddr(address, port, destination);
  fd_ = make_socket(destination.ss_family);
  if (own_port != 0) {
    sockaddr_storage own;
    const socklen_t own_size =
        to_sockaddr(destination.ss_family == AF_INET ? "0.0.0.0" : "::", own_port, own);
    set_option(fd(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    must(::bind(fd(), reinterpret_cast<const sockaddr*>(&own), own_size),
         cat("bind to port ", own_port));
  }
  if (::connect(fd(), reinterpret_cast<const sockaddr*>(&destination), size) != 0 &&
      errno != EINPROGRESS) {
    // A RST that loopback delivered during the call: what SO_ERROR would have said later.
    if (errno != ECONNREFUSED) {
      must(-1, cat("connect to ", address, " port ", port));
    }
  }
}

bool Client::connected() const { return info_of(fd()).tcpi_state == state_established; }

void Client::await_connected() const {
  wait_for(cat("client port ", port_, " to be connected"), [&] { return connected(); });
}

int Client::error() const {
  int value = 0;
  socklen_t size = sizeof(value);
  must(::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &value, &size), "SO_ERROR");
  return value;
}

int Client::await_error() const {
  int result = 0;
  wait_for(cat("an error on client port ", port_), [&] {
    result = error();
    return result != 0;
  });
  return result;
}

unsigned Client::retransmits() const { return info_of(fd()).tcpi_total_retrans; }

void Client::send_byte() {
  must(::send(fd(), "x", 1, MSG_NOSIGNAL), cat("send from port ", port_));
}

void Client::vanish() {
  if (fd_.valid()) {
    set_option(fd(), IPPROTO_TCP, TCP_REPAIR, 1, "TCP_REPAIR");
    fd_.reset();
  }
}

void Client::close_with_reset() {
  const linger abortive{1, 0};
  must(::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &abortive, sizeof(abortive)), "SO_LINGER");
  fd_.reset();
}

} // namespace acceptwatch::scenarios
