// SPDX-License-Identifier: Apache-2.0
#include "host/holder_scan.h"

#include "base/file.h"
#include "base/text.h"
#include "host/clock.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <set>
#include <unordered_map>

namespace acceptwatch {
namespace {

using ListenersByInode = std::unordered_map<uint64_t, aw_listener>;

/// proc(5): addresses are 32-bit words in host order, ports hexadecimal.
bool parse_address(std::string_view text, aw_listener& listener) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || (colon != 8 && colon != 32))
    return false;
  for (size_t word = 0; word * 8 < colon; ++word) {
    uint32_t value = 0;
    const char* begin = text.data() + word * 8;
    if (std::from_chars(begin, begin + 8, value, 16).ptr != begin + 8)
      return false;
    std::memcpy(listener.address + word * 4, &value, sizeof(value));
  }
  const char* end = text.data() + text.size();
  listener.family = colon == 8 ? AF_INET : AF_INET6;
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, listener.port, 16);
  return error == std::errc{} && stop == end;
}

/// "00000000:00000003", send and receive queue; of a listener the receive queue
/// is the accept queue's depth (get_tcp4_sock()). The limit is not in the table.
void parse_queues(std::string_view text, aw_listener& listener) {
  const auto colon = text.find(':');
  if (colon != std::string_view::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), listener.accept_depth, 16);
}

std::optional<aw_listener> parse_line(std::string_view line) {
  constexpr std::string_view listen_state = "0A";
  enum Field : size_t { local_address = 1, state = 3, queues = 4, inode = 9, field_count = 10 };
  const auto fields = split(line, ' ');
  if (fields.size() < field_count || fields[state] != listen_state)
    return std::nullopt;
  aw_listener listener{};
  const auto number = parse_number<uint64_t>(fields[inode]);
  if (!number || !parse_address(fields[local_address], listener))
    return std::nullopt;
  listener.id = *number;
  parse_queues(fields[queues], listener);
  return listener;
}

void add_listeners(const std::string& table, uint32_t netns, ListenersByInode& found) {
  for (aw_listener listener : listeners_of_table(table)) {
    listener.netns = netns;
    found.emplace(listener.id, listener);
  }
}

} // namespace

std::vector<NetNamespace> network_namespaces(const ProcFs& procfs) {
  std::vector<NetNamespace> found;
  std::set<uint32_t> known;
  for (const uint32_t pid : procfs.pids()) {
    const auto netns = procfs.netns(pid);
    if (netns && known.insert(*netns).second)
      found.push_back({*netns, pid});
  }
  return found;
}

std::vector<aw_listener> listeners_of_table(const std::string& path) {
  std::vector<aw_listener> found;
  const auto table = read_file(path);
  if (!table)
    return found;
  for (const auto line : split(*table, '\n')) {
    if (const auto listener = parse_line(line))
      found.push_back(*listener);
  }
  return found;
}

void scan_procfs(const ProcFs& procfs, const std::function<void(const aw_holder&)>& visit) {
  const uint64_t begun_ns = Clock::boot_now();
  ListenersByInode listeners;
  for (const auto& [netns, pid] : network_namespaces(procfs)) {
    add_listeners(procfs.path(pid, "net/tcp"), netns, listeners);
    add_listeners(procfs.path(pid, "net/tcp6"), netns, listeners);
  }
  for (const uint32_t pid : procfs.pids()) {
    procfs.for_each_socket(pid, [&](int fd, uint64_t inode) {
      const auto listener = listeners.find(inode);
      if (listener == listeners.end())
        return;
      aw_holder holder{};
      holder.header.size = sizeof(holder);
      holder.header.kind = AW_RECORD_HOLDER;
      holder.header.boot_ns = begun_ns;
      holder.listener = listener->second;
      holder.start_ns = procfs.start_ns(pid).value_or(0);
      holder.pid = pid;
      holder.fd = static_cast<uint32_t>(fd);
      const auto name = procfs.name(pid).value_or("");
      std::copy_n(name.begin(), std::min<size_t>(name.size(), AW_COMM_LEN - 1), holder.comm);
      visit(holder);
    });
  }
}

} // namespace acceptwatch
