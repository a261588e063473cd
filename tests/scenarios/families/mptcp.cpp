// SPDX-License-Identifier: Apache-2.0
// Multipath TCP: more paths of a connection come to the listener's port as well (MP_JOIN), without
// ever being in its accept queue.
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "core/error.h"
#include "core/netlink.h"
#include "core/veth.h"
#include "core/wait.h"
#include "families/families.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9110;

void need_mptcp() {
  if (!has_mptcp()) {
    throw Skip("this kernel has no MPTCP");
  }
}

Listener open_mptcp_listener(Stage& stage) {
  return open_listener(stage, {.port = server_port, .backlog = 10, .protocol = ipproto_mptcp});
}

genlmsghdr command(uint8_t number, uint8_t version) { return {number, version, 0}; }

void run_command(const Netlink& netlink, const NetlinkBatch& batch) {
  errno = netlink.execute(batch);
  must(errno == 0 ? 0 : -1, "a command to MPTCP's path manager");
}

uint16_t family_of_path_manager(const Netlink& netlink) {
  NetlinkBatch question;
  question.message(GENL_ID_CTRL, 0, command(CTRL_CMD_GETFAMILY, 1),
                   [&] { question.text(CTRL_ATTR_FAMILY_NAME, MPTCP_PM_NAME); });
  netlink.send(question);
  uint16_t found = 0;
  netlink.read([&](const nlmsghdr& message) {
    const auto* bytes = reinterpret_cast<const char*>(&message);
    for (size_t at = NLMSG_LENGTH(GENL_HDRLEN); at + sizeof(nlattr) < message.nlmsg_len;) {
      nlattr attribute;
      std::memcpy(&attribute, bytes + at, sizeof(attribute));
      if (attribute.nla_type == CTRL_ATTR_FAMILY_ID) {
        std::memcpy(&found, bytes + at + sizeof(attribute), sizeof(found));
      }
      at += NLMSG_ALIGN(attribute.nla_len);
    }
  });
  if (found == 0) {
    throw Failure("the kernel has MPTCP, and no path manager");
  }
  return found;
}

// Clients of this namespace open another path from there, as soon as they may.
void add_path(const std::string& address) {
  const Netlink netlink(NETLINK_GENERIC, "generic netlink");
  const uint16_t family = family_of_path_manager(netlink);
  NetlinkBatch limits;
  limits.message(family, NLM_F_ACK, command(MPTCP_PM_CMD_SET_LIMITS, MPTCP_PM_VER), [&] {
    limits.number(MPTCP_PM_ATTR_RCV_ADD_ADDRS, uint32_t{1});
    limits.number(MPTCP_PM_ATTR_SUBFLOWS, uint32_t{1});
  });
  run_command(netlink, limits);
  const Address parsed = Address::parse(address);
  NetlinkBatch path;
  path.message(family, NLM_F_ACK, command(MPTCP_PM_CMD_ADD_ADDR, MPTCP_PM_VER), [&] {
    path.nested(MPTCP_PM_ATTR_ADDR, [&] {
      path.number(MPTCP_PM_ADDR_ATTR_FAMILY, uint16_t{AF_INET});
      path.raw(MPTCP_PM_ADDR_ATTR_ADDR4, parsed.bytes.data(), parsed.size());
      path.number(MPTCP_PM_ADDR_ATTR_FLAGS, uint32_t{MPTCP_PM_ADDR_FLAG_SUBFLOW});
    });
  });
  run_command(netlink, path);
}

UniqueFd connect_to(uint16_t port) {
  sockaddr_storage server;
  const socklen_t size = to_sockaddr(veth::server_address, port, server);
  UniqueFd fd(must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, ipproto_mptcp), "socket"));
  must(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&server), size), "connect");
  return fd;
}

void send_byte(const UniqueFd& from, const UniqueFd& to) {
  must(::send(from.get(), "x", 1, MSG_NOSIGNAL), "send");
  char byte = 0;
  must(::recv(to.get(), &byte, 1, 0), "recv");
}

// Their requests are dropped when the path is there (subflow_syn_recv_sock() sets drop_req): no
// reset, and nothing that was lost.
void joins(Stage& stage) {
  constexpr int connections = 20;
  need_mptcp();
  World& clients = stage.add_world();
  World& server = stage.world();
  veth::connect(server.netns(), clients.netns());
  add_path(veth::second_client_address);
  server.enter();
  stage.go();
  Listener listener = open_mptcp_listener(stage);
  server.nothing_else();
  std::vector<UniqueFd> ends;
  for (int number = 1; number <= connections; ++number) {
    clients.enter();
    UniqueFd client = connect_to(server_port);
    server.enter();
    UniqueFd accepted = listener.accept();
    send_byte(client, accepted);
    send_byte(accepted, client);
    server.await_moved("MPJoinAckRx", number);
    ends.push_back(std::move(client));
    ends.push_back(std::move(accepted));
  }
  close_listener(stage, listener, {});
}

// The first bytes are given, the rest (keys, random numbers, digests) is anything.
TunPeers::Options option(size_t size, const std::vector<uint8_t>& begin) {
  constexpr uint8_t kind = 30;
  TunPeers::Options bytes(size, 0x5a);
  bytes[0] = kind;
  bytes[1] = static_cast<uint8_t>(size);
  std::copy(begin.begin(), begin.end(), bytes.begin() + 2);
  return bytes;
}

TunPeers::Options capable_syn() { return option(4, {0x01, 0x01}); }
// The server knows its own key, and takes whatever the client says of both.
TunPeers::Options capable_ack() { return option(20, {0x01, 0x01}); }

TunPeers::Options join_syn(uint32_t token) {
  constexpr uint8_t path = 1;
  return option(12,
                {0x10, path, static_cast<uint8_t>(token >> 24), static_cast<uint8_t>(token >> 16),
                 static_cast<uint8_t>(token >> 8), static_cast<uint8_t>(token)});
}

// Who knows both keys would have another digest.
TunPeers::Options join_ack_of_a_stranger() { return option(24, {0x10, 0}); }

// By which another path says what it is a path of.
uint32_t token_of(const UniqueFd& connection) {
  constexpr int level = 284; // SOL_MPTCP
  mptcp_info info{};
  socklen_t size = sizeof(info);
  must(::getsockopt(connection.get(), level, MPTCP_INFO, &info, &size), "MPTCP_INFO");
  return info.mptcpi_token;
}

Expectation about(const Stage& stage, const std::string& action, const std::string& reason,
                  const std::string& packet, const std::vector<Peer*>& peers) {
  Expectation expected = at_listener(action, reason, stage.self(), server_port, ports_of(peers));
  expected.stage = packet;
  return expected;
}

// The SYN names a connection that there is not.
void join_unknown(Stage& stage) {
  need_mptcp();
  TunPeers tun;
  stage.go();
  Listener listener = open_mptcp_listener(stage);
  const auto strangers = tun.add_many(20001, 3, server_port);
  for (Peer* peer : strangers) {
    tun.send_syn(*peer, join_syn(0x12345678));
    tun.await_reset(*peer);
  }
  stage.expect(about(stage, "reset_sent", "handshake_invalid", "syn", strangers));
  stage.expect(about(stage, "listen_drop", "request_failed", "syn", strangers));
  // Without MP_JOIN, from the same ports: what was refused has left nothing behind.
  for (Peer* peer : strangers) {
    shake(tun, *peer);
    tun.send_reset(*peer);
  }
  stage.await_moved("EmbryonicRsts", static_cast<int64_t>(strangers.size()));
  stage.expect(about(stage, "reset_received", "handshake", "ack", strangers));
  close_listener(stage, listener, {});
}

// The SYN names one, and the ACK cannot prove that it comes from the same client.
void join_forged(Stage& stage) {
  need_mptcp();
  TunPeers tun;
  stage.go();
  Listener listener = open_mptcp_listener(stage);
  Peer& client = tun.add(20001, server_port);
  tun.send_syn(client, capable_syn());
  tun.await_syn_ack(client);
  tun.send_ack(client, capable_ack());
  UniqueFd accepted = listener.accept();
  const auto strangers = tun.add_many(30001, 3, server_port);
  for (Peer* peer : strangers) {
    tun.send_syn(*peer, join_syn(token_of(accepted)));
    tun.await_syn_ack(*peer);
    tun.send_ack(*peer, join_ack_of_a_stranger());
    tun.await_reset(*peer);
  }
  stage.expect(about(stage, "reset_sent", "handshake_invalid", "ack", strangers));
  close_listener(stage, listener, {});
}

} // namespace

std::vector<Scenario> mptcp_scenarios() {
  return {
      {"mptcp_joins", "more paths of healthy connections are neither resets nor losses", joins},
      {"mptcp_join_unknown", "MP_JOIN with a token of no connection", join_unknown},
      {"mptcp_join_forged", "MP_JOIN of a client without the keys", join_forged},
  };
}

} // namespace acceptwatch::scenarios
