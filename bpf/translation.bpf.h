/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What netfilter makes of a packet's destination (DNAT, REDIRECT). A client knows the one that it
 * sent to, and who listens, or the way there, has to do with the other. Connection tracking has
 * both: a packet holds its struct nf_conn until a socket takes it (nf_reset_ct() in tcp_v4_rcv()).
 */
#ifndef ACCEPTWATCH_TRANSLATION_BPF_H
#define ACCEPTWATCH_TRANSLATION_BPF_H

#define NFCT_PTRMASK ~7ull    /* include/linux/skbuff.h */
#define IPS_DST_NAT (1u << 5) /* include/uapi/linux/netfilter/nf_conntrack_common.h */
#define NF_INET_ADDR_LEN 16   /* union nf_inet_addr, before the port */

/* 0: it is not tracked, or not yet. */
static __always_inline __u64 tracked_connection_of(struct sk_buff *skb)
{
	if (!bpf_core_field_exists(skb->_nfct) || !bpf_core_type_exists(struct nf_conn))
		return 0;
	return READ(skb, _nfct) & NFCT_PTRMASK;
}

/* Where its client sent it to: the destination of the original tuple. 0: that is where it goes. */
static __always_inline __u64 original_destination_of(struct sk_buff *skb)
{
	__u64 connection = tracked_connection_of(skb);

	if (!connection ||
	    !(read_raw_u32(connection + bpf_core_field_offset(struct nf_conn, status)) &
	      IPS_DST_NAT))
		return 0;
	return connection + bpf_core_field_offset(struct nf_conn, tuplehash) +
	       bpf_core_field_offset(struct nf_conntrack_tuple_hash, tuple) +
	       bpf_core_field_offset(struct nf_conntrack_tuple, dst);
}

/*
 * The server's end becomes the one that the client knows, and the one behind it is kept beside. Of
 * an answer that has been translated back only the first is known.
 */
static __always_inline void note_translation(struct sk_buff *skb, struct aw_event *e)
{
	__u64 original = original_destination_of(skb);
	bool differs = false;
	__u16 port;

	if (!original)
		return;
	__builtin_memcpy(e->nat_address, e->ends.server_address, AW_ADDRESS_LEN);
#pragma unroll
	for (int word = 0; word < AW_ADDRESS_LEN / 4; word++) {
		__u32 value = read_raw_u32(original + 4 * word);

		differs |= value != ((__u32 *)e->nat_address)[word];
		((__u32 *)e->ends.server_address)[word] = value;
	}
	port = bpf_ntohs(read_raw_u32(original + NF_INET_ADDR_LEN) & 0xffff);
	if (differs || port != e->ends.server_port)
		e->nat_port = e->ends.server_port;
	e->ends.server_port = port;
}

#endif
