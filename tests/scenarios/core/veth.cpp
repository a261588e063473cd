// SPDX-License-Identifier: Apache-2.0
#include "core/veth.h"

#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "core/error.h"
#include "core/netlink.h"
#include "core/packet.h"

namespace acceptwatch::scenarios::veth {

namespace {

const std::string device = "aw1"; // at both ends

void run_command(const NetlinkBatch& batch, const std::string& what) {
  errno = Netlink(NETLINK_ROUTE, "rtnetlink").execute(batch);
  if (errno == EOPNOTSUPP) {
    throw Skip("no veth on this kernel (module not loaded)");
  }
  must(errno == 0 ? 0 : -1, what);
}

void add_pair(const NetNamespace& far_end) {
  constexpr uint16_t flags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
  NetlinkBatch batch;
  batch.message(RTM_NEWLINK, flags, ifinfomsg{}, [&] {
    batch.text(IFLA_IFNAME, device.c_str());
    batch.nested(IFLA_LINKINFO, [&] {
      batch.text(IFLA_INFO_KIND, "veth");
      batch.nested(IFLA_INFO_DATA, [&] {
        batch.nested_after(VETH_INFO_PEER, ifinfomsg{}, [&] {
          batch.text(IFLA_IFNAME, device.c_str());
          batch.number(IFLA_NET_NS_FD, far_end.fd());
        });
      });
    });
  });
  run_command(batch, "a pair of veth");
}

void add_address(const std::string& text) {
  const Address address = Address::parse(text);
  ifaddrmsg head{};
  head.ifa_family = AF_INET;
  head.ifa_prefixlen = 24;
  head.ifa_index = ::if_nametoindex(device.c_str());
  NetlinkBatch batch;
  batch.message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_ACK, head,
                [&] { batch.raw(IFA_LOCAL, address.bytes.data(), address.size()); });
  run_command(batch, "the address " + text);
}

} // namespace

void connect(const NetNamespace& server, const NetNamespace& clients) {
  server.enter();
  add_pair(clients);
  set_link_up(device);
  add_address(server_address);
  clients.enter();
  set_link_up(device);
  add_address(client_address);
  add_address(second_client_address);
}

} // namespace acceptwatch::scenarios::veth
