// SPDX-License-Identifier: Apache-2.0
#include "host/tcp_table.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using Clock = std::chrono::steady_clock;

template <typename Number> std::optional<Number> parse_hex(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  return error == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

struct End {
  Address address;
  uint16_t port = 0;
};

/// "0100007F:2329": words of an address as they are in memory, and the port.
std::optional<End> end_of(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != 8 && colon != 32)
    return std::nullopt;
  const auto port = parse_hex<uint16_t>(text.substr(colon + 1));
  if (!port)
    return std::nullopt;
  End end;
  end.address.family = colon == 8 ? AF_INET : AF_INET6;
  end.port = *port;
  for (size_t at = 0; at < colon; at += 8) {
    const auto word = parse_hex<uint32_t>(text.substr(at, 8));
    if (!word)
      return std::nullopt;
    std::memcpy(&end.address.bytes[at / 2], &*word, sizeof(*word));
  }
  return end;
}

class Table {
public:
  Table(uint16_t port, uint64_t socket, Clock::time_point end)
      : port_(port), socket_(socket), end_(end) {}

  /// False: it could not be read to its end in time.
  bool read(const std::string& path) {
    const UniqueFd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file)
      return errno == ENOENT;
    std::array<char, 16384> chunk;
    std::string rest;
    for (;;) {
      const ssize_t n = ::read(file.get(), chunk.data(), chunk.size());
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n == 0;
      rest.append(chunk.data(), static_cast<size_t>(n));
      size_t begin = 0;
      for (size_t at = 0; (at = rest.find('\n', begin)) != std::string::npos; begin = at + 1)
        line(std::string_view{rest}.substr(begin, at - begin));
      rest.erase(0, begin);
      if (Clock::now() >= end_)
        return false;
    }
  }

  [[nodiscard]] const TcpLook& found() const { return found_; }

private:
  /// proc_net_tcp: "sl local_address rem_address st … inode". One that waits for accept() has no
  /// file, and inode 0 (sock_i_ino()).
  void line(std::string_view text) {
    enum Field : size_t { local = 1, remote = 2, state = 3, inode = 9, field_count = 10 };
    auto fields = split(text, ' ');
    std::erase(fields, std::string_view{});
    if (fields.size() < field_count)
      return;
    const auto here = end_of(fields[local]);
    const auto number = parse_number<uint64_t>(fields[inode]);
    const auto status = parse_hex<unsigned>(fields[state]);
    if (!here || !number || !*number || !status || *status == TCP_LISTEN)
      return;
    found_.open += here->port == port_;
    if (*number != socket_)
      return;
    if (const auto there = end_of(fields[remote]))
      found_.peer = Peer{there->address, there->port, here->port == port_};
  }

  uint16_t port_;
  uint64_t socket_;
  Clock::time_point end_;
  TcpLook found_;
};

} // namespace

std::optional<TcpLook> look_at_connections(const ProcFs& procfs, uint32_t pid, uint16_t port,
                                           uint64_t socket, std::chrono::microseconds time) {
  Table table{port, socket, Clock::now() + time};
  // The first has to be there, the second not: ipv6.disable=1.
  const auto first = procfs.path(pid, "net/tcp");
  if (access(first.c_str(), R_OK) != 0 || !table.read(first) ||
      !table.read(procfs.path(pid, "net/tcp6")))
    return std::nullopt;
  return table.found();
}

} // namespace acceptwatch
