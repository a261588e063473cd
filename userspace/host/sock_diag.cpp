// SPDX-License-Identifier: Apache-2.0
#include "host/sock_diag.h"

#include "base/file.h"
#include "base/text.h"
#include "host/holder_scan.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// The macros of netlink(3) and rtnetlink(3) cast in the C way.
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wsign-conversion"

namespace acceptwatch {
namespace {

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

bool send_request(int netlink, __u8 family) {
  Request request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1U << TCP_LISTEN;
  request.body.idiag_ext = 1U << (INET_DIAG_SKMEMINFO - 1);
  return send(netlink, &request, sizeof(request), 0) == sizeof(request);
}

/// The macros of rtnetlink(7) take no pointers to const.
uint32_t drops_of(nlmsghdr* header, inet_diag_msg* message) {
  auto left = static_cast<int>(NLMSG_PAYLOAD(header, sizeof(*message)));
  auto* attribute = reinterpret_cast<rtattr*>(message + 1);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    std::array<uint32_t, SK_MEMINFO_VARS> memory{};
    if (attribute->rta_type == INET_DIAG_SKMEMINFO && RTA_PAYLOAD(attribute) >= sizeof(memory)) {
      std::memcpy(memory.data(), RTA_DATA(attribute), sizeof(memory));
      return memory[SK_MEMINFO_DROPS];
    }
  }
  return 0;
}

PolledListener to_listener(nlmsghdr* header) {
  auto* message = static_cast<inet_diag_msg*>(NLMSG_DATA(header));
  PolledListener polled;
  aw_listener& listener = polled.listener;
  listener.id = message->idiag_inode;
  listener.family = message->idiag_family;
  listener.port = ntohs(message->id.idiag_sport);
  listener.accept_depth = message->idiag_rqueue; // tcp_diag_get_info(): sk_ack_backlog
  listener.accept_limit = message->idiag_wqueue;
  listener.cookie = uint64_t{message->id.idiag_cookie[1]} << 32 | message->id.idiag_cookie[0];
  std::memcpy(listener.address, message->id.idiag_src, sizeof(listener.address));
  polled.drops = drops_of(header, message);
  polled.has_limit = true;
  return polled;
}

/// False: this kernel has no inet_diag, or the answer was cut short.
bool dump(int netlink, __u8 family, std::vector<PolledListener>& found) {
  if (!send_request(netlink, family))
    return false;
  alignas(nlmsghdr) std::array<char, 32768> buffer{};
  for (;;) {
    const ssize_t n = recv(netlink, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    auto left = static_cast<unsigned>(n);
    auto* header = reinterpret_cast<nlmsghdr*>(buffer.data());
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE)
        return true;
      if (header->nlmsg_type == NLMSG_ERROR)
        return false;
      found.push_back(to_listener(header));
    }
  }
}

} // namespace

Result<std::vector<PolledListener>> poll_listeners() {
  std::vector<PolledListener> found;
  const UniqueFd netlink{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  if (netlink && dump(netlink.get(), AF_INET, found) && dump(netlink.get(), AF_INET6, found))
    return found;
  found.clear();
  for (const aw_listener& listener : listeners_of_table("/proc/net/tcp"))
    found.push_back({listener, 0, false});
  for (const aw_listener& listener : listeners_of_table("/proc/net/tcp6"))
    found.push_back({listener, 0, false});
  return found;
}

} // namespace acceptwatch
