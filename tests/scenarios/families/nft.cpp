// SPDX-License-Identifier: Apache-2.0
#include "families/nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <string>

#include "core/error.h"
#include "core/netlink.h"
#include "core/packet.h"
#include "core/tun_peers.h"

namespace acceptwatch::scenarios {

namespace {

uint16_t nft_type(uint16_t message) {
  return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

nfgenmsg head_of(uint8_t family, uint16_t resource = 0) {
  return {family, NFNETLINK_V0, htons(resource)};
}

void add_expression(NetlinkBatch& batch, const char* name, const NetlinkBatch::Content& data) {
  batch.nested(NFTA_LIST_ELEM, [&] {
    batch.text(NFTA_EXPR_NAME, name);
    batch.nested(NFTA_EXPR_DATA, data);
  });
}

void add_compare(NetlinkBatch& batch, uint32_t operation, const void* data, size_t size) {
  add_expression(batch, "cmp", [&] {
    batch.big_endian(NFTA_CMP_SREG, NFT_REG_1);
    batch.big_endian(NFTA_CMP_OP, operation);
    batch.nested(NFTA_CMP_DATA, [&] { batch.raw(NFTA_DATA_VALUE, data, size); });
  });
}

void add_port_compare(NetlinkBatch& batch, uint32_t offset, uint32_t operation, uint16_t port) {
  add_expression(batch, "payload", [&] {
    batch.big_endian(NFTA_PAYLOAD_DREG, NFT_REG_1);
    batch.big_endian(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
    batch.big_endian(NFTA_PAYLOAD_OFFSET, offset);
    batch.big_endian(NFTA_PAYLOAD_LEN, sizeof(port));
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

void add_drop(NetlinkBatch& batch) {
  add_expression(batch, "immediate", [&] {
    batch.big_endian(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    batch.nested(NFTA_IMMEDIATE_DATA, [&] {
      batch.nested(NFTA_DATA_VERDICT, [&] { batch.big_endian(NFTA_VERDICT_CODE, NF_DROP); });
    });
  });
}

void add_reject(NetlinkBatch& batch) {
  add_expression(batch, "reject", [&] {
    batch.big_endian(NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
    const uint8_t no_icmp_code = 0;
    batch.raw(NFTA_REJECT_ICMP_CODE, &no_icmp_code, sizeof(no_icmp_code));
  });
}

// meta KEY VALUE
void add_meta_compare(NetlinkBatch& batch, uint32_t key, uint8_t value) {
  add_expression(batch, "meta", [&] {
    batch.big_endian(NFTA_META_KEY, key);
    batch.big_endian(NFTA_META_DREG, NFT_REG_1);
  });
  add_compare(batch, NFT_CMP_EQ, &value, sizeof(value));
}

// meta l4proto tcp, @th,offset,16 port, @th,offset,16 >= others_from, drop or reject
void add_rule(NetlinkBatch& batch, const Rule& rule) {
  const uint32_t port_at = rule.hook == Hook::output ? 0 : 2;
  const uint32_t other_at = 2 - port_at;
  add_meta_compare(batch, NFT_META_L4PROTO, IPPROTO_TCP);
  add_port_compare(batch, port_at, NFT_CMP_EQ, rule.port);
  add_port_compare(batch, other_at, NFT_CMP_GTE, rule.others_from);
  if (rule.rejects) {
    add_reject(batch);
  } else {
    add_drop(batch);
  }
}

// A chain of a table, with one rule.
struct Chain {
  const char* table;
  const char* type;
  Hook hook;
  int32_t priority;
};

void write_chain(NetlinkBatch& batch, const Chain& chain,
                 const NetlinkBatch::Content& add_expressions) {
  const nfgenmsg limits = head_of(AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  const nfgenmsg head = head_of(NFPROTO_INET);
  const auto nothing = [] {};
  batch.message(NFNL_MSG_BATCH_BEGIN, 0, limits, nothing);
  batch.message(nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE, head,
                [&] { batch.text(NFTA_TABLE_NAME, chain.table); });
  batch.message(nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE, head, [&] {
    batch.text(NFTA_CHAIN_TABLE, chain.table);
    batch.text(NFTA_CHAIN_NAME, firewall_chain);
    batch.text(NFTA_CHAIN_TYPE, chain.type);
    batch.nested(NFTA_CHAIN_HOOK, [&] {
      batch.big_endian(NFTA_HOOK_HOOKNUM, static_cast<uint32_t>(chain.hook));
      batch.big_endian(NFTA_HOOK_PRIORITY, static_cast<uint32_t>(chain.priority));
      if (chain.hook == Hook::ingress) {
        batch.text(NFTA_HOOK_DEV, TunPeers::device());
      }
    });
  });
  batch.message(nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, head, [&] {
    batch.text(NFTA_RULE_TABLE, chain.table);
    batch.text(NFTA_RULE_CHAIN, firewall_chain);
    batch.nested(NFTA_RULE_EXPRESSIONS, add_expressions);
  });
  batch.message(NFNL_MSG_BATCH_END, 0, limits, nothing);
}

void execute(const NetlinkBatch& batch, const char* missing) {
  const int error = Netlink(NETLINK_NETFILTER, "nf_tables").execute(batch);
  if (error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ENOENT) {
    throw Skip(missing);
  }
  if (error != 0) {
    errno = error;
    must(-1, "a rule for nf_tables");
  }
}

void install(const Rule& rule) {
  NetlinkBatch batch;
  write_chain(batch, {firewall_table, "filter", rule.hook, 0}, [&] { add_rule(batch, rule); });
  execute(batch, "no nf_tables on this kernel (module not loaded)");
}

void add_value(NetlinkBatch& batch, uint32_t to_register, const void* data, size_t size) {
  add_expression(batch, "immediate", [&] {
    batch.big_endian(NFTA_IMMEDIATE_DREG, to_register);
    batch.nested(NFTA_IMMEDIATE_DATA, [&] { batch.raw(NFTA_DATA_VALUE, data, size); });
  });
}

} // namespace

void drop_by_firewall(Hook hook, uint16_t port, uint16_t others_from) {
  install({hook, port, others_from, false});
}

// meta nfproto ipv4, meta l4proto tcp, @th,16,16 port, dnat ip to to_address:to_port
void translate(uint16_t port, const std::string& to_address, uint16_t to_port) {
  constexpr int32_t dstnat = -100; // NF_IP_PRI_NAT_DST
  const Address address = Address::parse(to_address);
  const uint16_t to = htons(to_port);
  NetlinkBatch batch;
  write_chain(batch, {"acceptwatch_nat", "nat", Hook::prerouting, dstnat}, [&] {
    add_meta_compare(batch, NFT_META_NFPROTO, NFPROTO_IPV4);
    add_meta_compare(batch, NFT_META_L4PROTO, IPPROTO_TCP);
    add_port_compare(batch, 2, NFT_CMP_EQ, port);
    add_value(batch, NFT_REG_1, address.bytes.data(), address.size());
    add_value(batch, NFT_REG_2, &to, sizeof(to));
    add_expression(batch, "nat", [&] {
      batch.big_endian(NFTA_NAT_TYPE, NFT_NAT_DNAT);
      batch.big_endian(NFTA_NAT_FAMILY, NFPROTO_IPV4);
      batch.big_endian(NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
      batch.big_endian(NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
    });
  });
  execute(batch, "no translation on this kernel (module not loaded)");
}

void reject_by_firewall(Hook hook, uint16_t port, uint16_t others_from) {
  install({hook, port, others_from, true});
}

} // namespace acceptwatch::scenarios
