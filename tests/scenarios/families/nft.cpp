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

// meta l4proto tcp, @th,offset,16 port, @th,offset,16 >= others_from, drop or reject
void add_rule(NetlinkBatch& batch, const Rule& rule) {
  const uint32_t port_at = rule.hook == Hook::output ? 0 : 2;
  const uint32_t other_at = 2 - port_at;
  add_expression(batch, "meta", [&] {
    batch.big_endian(NFTA_META_KEY, NFT_META_L4PROTO);
    batch.big_endian(NFTA_META_DREG, NFT_REG_1);
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

NetlinkBatch rule_batch(const Rule& rule) {
  NetlinkBatch batch;
  const nfgenmsg limits = head_of(AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  const nfgenmsg head = head_of(NFPROTO_INET);
  const auto nothing = [] {};
  batch.message(NFNL_MSG_BATCH_BEGIN, 0, limits, nothing);
  batch.message(nft_type(NFT_MSG_NEWTABLE), NLM_F_CREATE, head,
                [&] { batch.text(NFTA_TABLE_NAME, firewall_table); });
  batch.message(nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE, head, [&] {
    batch.text(NFTA_CHAIN_TABLE, firewall_table);
    batch.text(NFTA_CHAIN_NAME, firewall_chain);
    batch.text(NFTA_CHAIN_TYPE, "filter");
    batch.nested(NFTA_CHAIN_HOOK, [&] {
      batch.big_endian(NFTA_HOOK_HOOKNUM, static_cast<uint32_t>(rule.hook));
      batch.big_endian(NFTA_HOOK_PRIORITY, 0);
      if (rule.hook == Hook::ingress) {
        batch.text(NFTA_HOOK_DEV, TunPeers::device());
      }
    });
  });
  batch.message(nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, head, [&] {
    batch.text(NFTA_RULE_TABLE, firewall_table);
    batch.text(NFTA_RULE_CHAIN, firewall_chain);
    batch.nested(NFTA_RULE_EXPRESSIONS, [&] { add_rule(batch, rule); });
  });
  batch.message(NFNL_MSG_BATCH_END, 0, limits, nothing);
  return batch;
}

void install(const Rule& rule) {
  const int error = Netlink(NETLINK_NETFILTER, "nf_tables").execute(rule_batch(rule));
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
