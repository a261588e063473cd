// SPDX-License-Identifier: Apache-2.0
#include "families/obstacles.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "core/error.h"

namespace acceptwatch::scenarios {

void attach_filter(const Listener& listener, bool passes) {
  sock_filter instruction[] = {BPF_STMT(BPF_RET | BPF_K, passes ? 0xFFFFFFFFU : 0U)};
  const sock_fprog program{1, instruction};
  must(::setsockopt(listener.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)),
       "SO_ATTACH_FILTER");
}

void want_signatures(const Listener& listener, const std::string& client) {
  tcp_md5sig key{};
  sockaddr_storage address;
  to_sockaddr(client, 0, address);
  std::memcpy(&key.tcpm_addr, &address, sizeof(address));
  key.tcpm_keylen = 3;
  std::memcpy(key.tcpm_key, "key", 3);
  if (::setsockopt(listener.fd(), IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)) != 0 &&
      errno == ENOPROTOOPT) {
    throw Skip("this kernel has no TCP_MD5SIG");
  }
}

void add_unreachable(const std::string& address) {
  const UniqueFd fd(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  rtentry route{};
  std::memcpy(&route.rt_dst, &to, sizeof(to));
  route.rt_flags = RTF_UP | RTF_HOST | RTF_REJECT;
  must(::ioctl(fd.get(), SIOCADDRT, &route), "SIOCADDRT");
}

} // namespace acceptwatch::scenarios
