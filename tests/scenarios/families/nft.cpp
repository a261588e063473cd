// SPDX-License-Identifier: Apache-2.0
#include "families/nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/tun_peers.h"
#include "core/unique_fd.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

namespace {

// Netlink messages, written attribute by attribute.
class Batch {
public:
  using Content = std::function<void()>;

  void message(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource,
               const Content& content) {
    const size_t begin = bytes_.size();
    append(nlmsghdr{});
    append(nfgenmsg{family, NFNETLINK_V0, htons(resource)});
    content();
    const nlmsghdr header{static_cast<uint32_t>(bytes_.size() - begin), type,
                          static_cast<uint16_t>(flags | NLM_F_REQUEST), ++sequence_, 0};
    std::memcpy(bytes_.data() + begin, &header, sizeof(header));
  }

  void nested(uint16_t type, const Content& content) {
    const size_t begin = bytes_.size();
    append(nlattr{0, static_cast<uint16_t>(type | NLA_F_NESTED)});
    content();
    const auto length = static_cast<uint16_t>(bytes_.size() - begin);
    std::memcpy(bytes_.data() + begin, &length, sizeof(length));
  }

  void raw(uint16_t type, const void* data, size_t size) {
    append(nlattr{static_cast<uint16_t>(sizeof(nlattr) + size), type});
    const auto* bytes = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    bytes_.resize((bytes_.size() + NLA_ALIGNTO - 1) / NLA_ALIGNTO * NLA_ALIGNTO);
  }

  void text(uint16_t type, const char* value) { raw(type, value, std::strlen(value) + 1); }

  void number(uint16_t type, uint32_t value) {
    const uint32_t big_endian = htonl(value);
    raw(type, &big_endian, sizeof(big_endian));
  }

  const std::vector<uint8_t>& bytes() const { return bytes_; }
  uint32_t last_sequence() const { return sequence_; }

private:
  template <typename Header> void append(const Header& header) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(header));
  }

  std::vector<uint8_t> bytes_;
  uint32_t sequence_ = 0;
};

uint16_t nft_type(uint16_t message) {
  return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

void add_expression(Batch& batch, const char* name, const Batch::Content& data) {
  batch.nested(NFTA_LIST_ELEM, [&] {
    batch.text(NFTA_EXPR_NAME, name);
    batch.nested(NFTA_EXPR_DATA, data);
  });
}

void add_compare(Batch& batch, uint32_t operation, const void* data, size_t size) {
  add_expression(batch, "cmp", [&] {
    batch.number(NFTA_CMP_SREG, NFT_REG_1);
    batch.number(NFTA_CMP_OP, operation);
    batch.nested(NFTA_CMP_DATA, [&] { batch.raw(NFTA_DATA_VALUE, data, size); });
  });
}

void add_port_compare(Batch& batch, uint32_t offset, uint32_t operation, uint16_t port) {
  add_expression(batch, "payload", [&] {
    batch.number(NFTA_PAYLOAD_DREG, NFT_REG_1);
    batch.number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
    batch.number(NFTA_PAYLOAD_OFFSET, offset);
    batch.number(NFTA_PAYLOAD_LEN, sizeof(port));
  });
  const uint16_t big_endian = htons(port);
  add_compare(batch, operation, &big_endian, sizeof(big_endian));
}

struct Rule {
  Hook hook;
  uint16_t port;
  uint16_t others_from;
  bool rejects;
};

void add_drop(Batch& batch) {
  add_expression(batch, "immediate", [&] {
    batch.number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    batch.nested(NFTA_IMMEDIATE_DATA, [&] {
      batch.nested(NFTA_DATA_VERDICT, [&] { batch.number(NFTA_VERDICT_CODE, NF_DROP); });
    });
  });
}

void add_reject(Batch& batch) {
  add_expression(batch, "reject", [&] {
    batch.number(NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
    const uint8_t no_icmp_code = 0;
    batch.raw(NFTA_REJECT_ICMP_CODE, &no_icmp_code, sizeof(no_icmp_code));
  });
}

// meta l4proto tcp, @th,offset,16 port, @th,offset,16 >= others_from, drop or reject
void add_rule(Batch& batch, const Rule& rule) {
  const uint32_t port_at = rule.hook == Hook::output ? 0 : 2;
  const uint32_t other_at = 2 - port_at;
  add_expression(batch, "meta", [&] {
    batch.number(NFTA_META_KEY, NFT_META_L4PROTO);
    batch.number(NFTA_META_DREG, NFT_REG_1);
  });
  const uint8_t protocol = IPPROTO_TCP;
  add_compare(batch, NFT_CMP_EQ, &protocol, sizeof(protocol));
  add_port_compare(batch, port_at, NFT_CMP_EQ, rule.port);
  add_port_compare(batch, other_at, NFT_CMP_GTE, rule.others_from);
  if (rule.rejects) {
    add_reject(batch);
  } else {
    add_drop(batch);
  }
}

Batch rule_batch(const Rule& rule) {
  Batch batch;
  const auto nothing = [] {};
  batch.message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, nothing);
  batch.message(nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE, NFPROTO_INET, 0,
                [&] { batch.text(NFTA_TABLE_NAME, firewall_table); });
  batch.message(nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE, NFPROTO_INET, 0, [&] {
    batch.text(NFTA_CHAIN_TABLE, firewall_table);
    batch.text(NFTA_CHAIN_NAME, firewall_chain);
    batch.text(NFTA_CHAIN_TYPE, "filter");
    batch.nested(NFTA_CHAIN_HOOK, [&] {
      batch.number(NFTA_HOOK_HOOKNUM, static_cast<uint32_t>(rule.hook));
      batch.number(NFTA_HOOK_PRIORITY, 0);
      if (rule.hook == Hook::ingress) {
        batch.text(NFTA_HOOK_DEV, TunPeers::device());
      }
    });
  });
  batch.message(nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, NFPROTO_INET, 0,
                [&] {
                  batch.text(NFTA_RULE_TABLE, firewall_table);
                  batch.text(NFTA_RULE_CHAIN, firewall_chain);
                  batch.nested(NFTA_RULE_EXPRESSIONS, [&] { add_rule(batch, rule); });
                });
  batch.message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, nothing);
  return batch;
}

// The first error of the answers, 0 when the rule was acknowledged.
int answer_of(int netlink) {
  alignas(nlmsghdr) std::array<char, 16384> buffer;
  if (!readable(netlink, patience)) {
    throw Failure("nf_tables does not answer");
  }
  const auto size =
      must(::recv(netlink, buffer.data(), buffer.size(), 0), "the answer of nf_tables");
  auto left = static_cast<unsigned>(size);
  for (auto* header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
       header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_type == NLMSG_ERROR) {
      return -reinterpret_cast<const nlmsgerr*>(header + 1)->error;
    }
  }
  throw Failure("nf_tables answers something else");
}

void install(const Rule& rule) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0 && errno == EPROTONOSUPPORT) {
    throw Skip("no netfilter on this kernel");
  }
  const UniqueFd netlink(must(fd, "a netlink socket"));
  const Batch batch = rule_batch(rule);
  must(::send(netlink.get(), batch.bytes().data(), batch.bytes().size(), 0),
       "a rule for nf_tables");
  const int error = answer_of(netlink.get());
  if (error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EPROTONOSUPPORT) {
    throw Skip("no nf_tables on this kernel (module not loaded)");
  }
  if (error != 0) {
    errno = error;
    must(-1, "a rule for nf_tables");
  }
}

} // namespace

void drop_by_firewall(Hook hook, uint16_t port, uint16_t others_from) {
  install({hook, port, others_from, false});
}

void reject_by_firewall(Hook hook, uint16_t port, uint16_t others_from) {
  install({hook, port, others_from, true});
}

} // namespace acceptwatch::scenarios
