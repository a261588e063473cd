// SPDX-License-Identifier: Apache-2.0
#include "host/translations.h"

#include "host/holder_scan.h"
#include "host/netns_switch.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using Bytes = std::string_view;

constexpr size_t aligned(size_t size) { return (size + 3) & ~size_t{3}; }

/// The content of the first attribute of that type; empty: there is none.
Bytes attribute(Bytes attributes, uint16_t type) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr head{};
    std::memcpy(&head, attributes.data(), sizeof(head));
    if (head.nla_len < sizeof(head) || head.nla_len > attributes.size())
      return {};
    if ((head.nla_type & NLA_TYPE_MASK) == type)
      return attributes.substr(sizeof(head), head.nla_len - sizeof(head));
    attributes.remove_prefix(std::min(aligned(head.nla_len), attributes.size()));
  }
  return {};
}

std::optional<Address> address_in(Bytes ip, uint16_t ipv4, uint16_t ipv6) {
  for (const auto& [type, family, size] :
       {std::tuple{ipv4, AF_INET, size_t{4}}, std::tuple{ipv6, AF_INET6, size_t{16}}}) {
    const Bytes bytes = attribute(ip, type);
    if (bytes.size() != size)
      continue;
    Address address;
    address.family = static_cast<uint16_t>(family);
    std::memcpy(address.bytes.data(), bytes.data(), size);
    return address;
  }
  return std::nullopt;
}

std::optional<uint16_t> port_in(Bytes protocol, uint16_t type) {
  const Bytes number = attribute(protocol, CTA_PROTO_NUM);
  const Bytes bytes = attribute(protocol, type);
  if (number != Bytes{"\x06", 1} || bytes.size() != sizeof(uint16_t))
    return std::nullopt;
  uint16_t port = 0;
  std::memcpy(&port, bytes.data(), sizeof(port));
  return ntohs(port);
}

/// Connections to that port alone: where the first tuple has its destination port,
/// ctnetlink_dump_tuples() tells, which writes addresses first and the ports after them.
bool leave_out_others(int netlink, uint16_t port) {
  constexpr uint32_t family_at = sizeof(nlmsghdr);
  constexpr uint32_t head = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  constexpr uint32_t nests = 3 * sizeof(nlattr); // tuple, addresses, ports
  constexpr uint32_t numbers = 3 * sizeof(nlattr) + 8;
  constexpr uint32_t port_at_v4 = head + nests + 2 * (sizeof(nlattr) + 4) + numbers;
  constexpr uint32_t port_at_v6 = head + nests + 2 * (sizeof(nlattr) + 16) + numbers;
  std::array code{
      sock_filter BPF_STMT(BPF_LD | BPF_B | BPF_ABS, family_at),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 2, 0),
      sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, port_at_v4),
      sock_filter BPF_STMT(BPF_JMP | BPF_JA, 1),
      sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, port_at_v6),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
      sock_filter BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog program{code.size(), code.data()};
  return setsockopt(netlink, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

UniqueFd subscribe(uint16_t port) {
  // Else the subscription would have the modules loaded.
  if (access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK) != 0)
    return {};
  UniqueFd netlink{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER)};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = NF_NETLINK_CONNTRACK_NEW;
  if (!netlink || !leave_out_others(netlink.get(), port) ||
      bind(netlink.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return {};
  return netlink;
}

} // namespace

std::optional<Translation> translation_in(std::string_view message) {
  constexpr size_t head = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  if (message.size() < head)
    return std::nullopt;
  message.remove_prefix(head);
  const Bytes sent = attribute(message, CTA_TUPLE_ORIG);
  const Bytes answered = attribute(message, CTA_TUPLE_REPLY);
  const auto address = address_in(attribute(sent, CTA_TUPLE_IP), CTA_IP_V4_DST, CTA_IP_V6_DST);
  const auto port = port_in(attribute(sent, CTA_TUPLE_PROTO), CTA_PROTO_DST_PORT);
  const auto own_address =
      address_in(attribute(answered, CTA_TUPLE_IP), CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  const auto own_port = port_in(attribute(answered, CTA_TUPLE_PROTO), CTA_PROTO_SRC_PORT);
  if (!address || !port || !own_address || !own_port ||
      (address == own_address && port == own_port))
    return std::nullopt;
  return Translation{address, *port, {own_address, *own_port}};
}

std::optional<TranslationReader>
TranslationReader::open(const ProcFs& procfs, std::optional<uint32_t> netns, uint16_t port) {
  const auto reader = [](UniqueFd netlink) {
    return netlink ? std::optional{TranslationReader{std::move(netlink)}} : std::nullopt;
  };
  if (!netns || netns == procfs.netns(static_cast<uint32_t>(getpid())))
    return reader(subscribe(port));
  const auto all = network_namespaces(procfs);
  const auto found = std::ranges::find(all, *netns, &NetNamespace::inode);
  if (found == all.end())
    return std::nullopt;
  const UniqueFd home{::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
  const NamespaceSwitch there{home, procfs.path(found->pid, "ns/net")};
  return there.is_there() ? reader(subscribe(port)) : std::nullopt;
}

void TranslationReader::note(const Translation& translation) {
  std::erase(known_, translation);
  if (known_.size() == max_known)
    known_.erase(known_.begin());
  known_.push_back(translation);
}

const std::vector<Translation>& TranslationReader::read() {
  constexpr int most = 256; // the rest is read the next time
  alignas(nlmsghdr) std::array<char, 4096> buffer{};
  for (int i = 0; i < most; ++i) {
    const ssize_t size = ::read(netlink_.get(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == ENOBUFS)) // some were lost
      continue;
    if (size <= 0)
      break;
    if (const auto found = translation_in({buffer.data(), static_cast<size_t>(size)}))
      note(*found);
  }
  return known_;
}

} // namespace acceptwatch
