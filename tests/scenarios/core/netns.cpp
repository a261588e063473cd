// SPDX-License-Identifier: Apache-2.0
#include "core/netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

// What a distribution or an operator may have changed, and what would make a count depend on the
// machine.
void set_known_sysctls() {
  set_sysctl("net.core.somaxconn", 4096);
  set_sysctl("net.ipv4.tcp_syncookies", 1);
  set_sysctl("net.ipv4.tcp_max_syn_backlog", 1024);
  set_sysctl("net.ipv4.tcp_synack_retries", 5);
  set_sysctl("net.ipv4.tcp_abort_on_overflow", 0);
  // tcp_peer_is_proven() exempts a peer with saved metrics from the quarter rule.
  set_sysctl("net.ipv4.tcp_no_metrics_save", 1);
  // No tail loss probes: a client's data is sent again by its timer only.
  set_sysctl("net.ipv4.tcp_early_retrans", 0);
  set_sysctl("net.ipv4.conf.all.rp_filter", 0);
  set_sysctl("net.ipv4.conf.default.rp_filter", 0);
}

} // namespace

void set_sysctl(const std::string& name, long value) {
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  path = "/proc/sys/" + path;
  const UniqueFd fd(must(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path));
  const std::string text = std::to_string(value);
  must(::write(fd.get(), text.data(), text.size()), cat("writing ", text, " to ", path));
}

void set_link_up(const std::string& name) {
  const UniqueFd fd(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  must(::ioctl(fd.get(), SIOCGIFFLAGS, &request), "SIOCGIFFLAGS " + name);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  must(::ioctl(fd.get(), SIOCSIFFLAGS, &request), "SIOCSIFFLAGS " + name);
}

NetNamespace NetNamespace::current() {
  NetNamespace result;
  result.fd_ =
      UniqueFd(must(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "/proc/self/ns/net"));
  struct stat status {};
  must(::fstat(result.fd_.get(), &status), "stat of /proc/self/ns/net");
  result.inode_ = status.st_ino;
  return result;
}

NetNamespace NetNamespace::create() {
  must(::unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)");
  set_link_up("lo");
  set_known_sysctls();
  return current();
}

std::string NetNamespace::path() const { return cat("/proc/", ::getpid(), "/fd/", fd_.get()); }

void NetNamespace::enter() const { must(::setns(fd_.get(), CLONE_NEWNET), "setns"); }

} // namespace acceptwatch::scenarios
