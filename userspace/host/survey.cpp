// SPDX-License-Identifier: Apache-2.0
#include "host/survey.h"

#include "base/file.h"
#include "base/text.h"
#include "host/holder_scan.h"
#include "host/netns_switch.h"
#include "host/sock_diag.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace acceptwatch {
namespace {

std::optional<uint32_t> setting(const char* path) {
  const auto line = read_line(path);
  return line ? parse_number<uint32_t>(*line) : std::nullopt;
}

/// The settings of the network namespace that this thread is in: /proc/sys/net shows each reader
/// its own.
std::optional<QueueSettings> settings_here() {
  const auto somaxconn = setting("/proc/sys/net/core/somaxconn");
  const auto max_syn_backlog = setting("/proc/sys/net/ipv4/tcp_max_syn_backlog");
  if (!somaxconn || !max_syn_backlog)
    return std::nullopt;
  // A kernel without CONFIG_SYN_COOKIES has no such setting, and no cookies.
  const auto syncookies = setting("/proc/sys/net/ipv4/tcp_syncookies").value_or(0);
  return QueueSettings{*somaxconn, *max_syn_backlog, static_cast<uint8_t>(syncookies)};
}

Listed with_limits(const PolledListener& polled, const std::optional<QueueSettings>& settings) {
  Listed entry = listed(polled.listener);
  if (!polled.has_limit)
    return entry;
  const uint32_t limit = polled.listener.accept_limit;
  entry.accept_queue.limit = limit;
  entry.drops = polled.drops;
  if (settings) {
    entry.accept_queue.limit_from = accept_limit_from(limit, *settings);
    entry.syn_queue = syn_queue_of({}, limit, *settings);
  }
  return entry;
}

void survey_here(uint32_t netns, const std::function<void(const Listed&)>& visit) {
  const auto polled = poll_listeners();
  if (!polled)
    return;
  const auto settings = settings_here();
  for (PolledListener listener : *polled) {
    listener.listener.netns = netns;
    // A listener that the kernel made for itself (NFS, for example) may have no inode.
    if (listener.listener.id == 0)
      listener.listener.id = 1ULL << 63 | listener.listener.cookie;
    visit(with_limits(listener, settings));
  }
}

} // namespace

void survey_listeners(const ProcFs& procfs, const std::function<void(const Listed&)>& visit) {
  constexpr const char* own_path = "/proc/self/ns/net";
  const UniqueFd home{open(own_path, O_RDONLY | O_CLOEXEC)};
  struct stat own {};
  stat(own_path, &own);
  const auto own_netns = static_cast<uint32_t>(own.st_ino);
  survey_here(own_netns, visit);
  for (const auto& [netns, pid] : network_namespaces(procfs)) {
    if (netns == own_netns)
      continue;
    const NamespaceSwitch there{home, procfs.path(pid, "ns/net")};
    if (there.is_there()) {
      survey_here(netns, visit);
      continue;
    }
    for (const char* table : {"net/tcp", "net/tcp6"}) {
      for (aw_listener listener : listeners_of_table(procfs.path(pid, table))) {
        listener.netns = netns;
        visit(listed(listener));
      }
    }
  }
}

} // namespace acceptwatch
