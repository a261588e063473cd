/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two ends of a connection attempt: from the packet where there is nothing
 * else yet, from the request socket or the child where there is one.
 */
#ifndef ACCEPTWATCH_PACKET_BPF_H
#define ACCEPTWATCH_PACKET_BPF_H

/* Wire offsets: RFC 791, RFC 8200. */
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

/* The client is the packet's source. */
static __always_inline void addresses_at(__u64 ip, __u16 family, struct aw_endpoints *ends)
{
	ends->family = family;
	if (family == AF_INET) {
		*(__u32 *)ends->client_address = read_raw_u32(ip + IPV4_SOURCE);
		*(__u32 *)ends->server_address = read_raw_u32(ip + IPV4_SOURCE + 4);
		return;
	}
#pragma unroll
	for (int word = 0; word < 4; word++) {
		__u64 source = ip + IPV6_SOURCE + 4 * word;

		((__u32 *)ends->client_address)[word] = read_raw_u32(source);
		((__u32 *)ends->server_address)[word] = read_raw_u32(source + 16);
	}
}

static __always_inline void ports_at(__u64 tcp, struct aw_endpoints *ends)
{
	__u32 ports = read_raw_u32(tcp);

	ends->client_port = bpf_ntohs(ports & 0xffff);
	ends->server_port = bpf_ntohs(ports >> 16);
}

/* False where packets cannot be read. */
static __always_inline bool ends_of_packet(struct sk_buff *skb, struct aw_endpoints *ends)
{
	__u64 head = (__u64)READ(skb, head);
	__u16 family = READ(skb, protocol) == bpf_htons(ETH_P_IP) ? AF_INET : AF_INET6;

	if (aw_config.packet_access == AW_PACKETS_UNREADABLE)
		return false;
	ports_at(head + READ(skb, transport_header), ends);
	addresses_at(head + READ(skb, network_header), family, ends);
	return true;
}

/* RFC 9293 */
#define TCP_FLAG_FIN 0x01
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_ACK 0x10
#define TCP_WORD_OF_FLAGS 12

#define IPV4_PROTOCOL_WORD 8
#define IPV6_NEXT_HEADER_WORD 4
#define IPV6_HEADER_LEN 40

/*
 * The same of a packet that TCP may not have seen yet, so that only its network
 * header is known to be found. False: no TCP, or behind extension headers.
 */
static __always_inline bool parse_packet(struct sk_buff *skb, struct aw_endpoints *ends,
					 __u8 *flags)
{
	__u64 ip = (__u64)READ(skb, head) + READ(skb, network_header);
	__u64 tcp;

	if (aw_config.packet_access == AW_PACKETS_UNREADABLE)
		return false;
	if (READ(skb, protocol) == bpf_htons(ETH_P_IP)) {
		if ((read_raw_u32(ip + IPV4_PROTOCOL_WORD) >> 8 & 0xff) != IPPROTO_TCP)
			return false;
		tcp = ip + (read_raw_u32(ip) & 0xf) * 4;
		addresses_at(ip, AF_INET, ends);
	} else if (READ(skb, protocol) == bpf_htons(ETH_P_IPV6)) {
		if ((read_raw_u32(ip + IPV6_NEXT_HEADER_WORD) >> 16 & 0xff) != IPPROTO_TCP)
			return false;
		tcp = ip + IPV6_HEADER_LEN;
		addresses_at(ip, AF_INET6, ends);
	} else {
		return false;
	}
	ports_at(tcp, ends);
	*flags = read_raw_u32(tcp + TCP_WORD_OF_FLAGS) >> 8;
	return true;
}

/* From a sock_common that is connected: a request socket or a child. */
#define ENDS_OF_COMMON(ends, src, common)                                                          \
	do {                                                                                       \
		(ends)->family = READ(src, common.skc_family);                                     \
		(ends)->client_port = bpf_ntohs(READ(src, common.skc_dport));                      \
		if ((ends)->family == AF_INET6) {                                                  \
			READ_IN6((ends)->client_address, src, common.skc_v6_daddr);                \
			READ_IN6((ends)->server_address, src, common.skc_v6_rcv_saddr);            \
		} else {                                                                           \
			*(__u32 *)(ends)->client_address = READ(src, common.skc_daddr);            \
			*(__u32 *)(ends)->server_address = READ(src, common.skc_rcv_saddr);        \
		}                                                                                  \
	} while (0)

static __always_inline void ends_of_request(struct request_sock *req, struct aw_endpoints *ends)
{
	ENDS_OF_COMMON(ends, req, __req_common);
	ends->server_port = READ(req, __req_common.skc_num);
}

static __always_inline void ends_of_child(struct sock *child, struct aw_endpoints *ends)
{
	ENDS_OF_COMMON(ends, child, __sk_common);
	ends->server_port = local_port(child);
}

#endif
