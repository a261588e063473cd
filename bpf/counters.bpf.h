/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel counts itself, of one namespace on this CPU. Bottom halves are off
 * on the listen path, so what is counted between two looks was counted by the call
 * that they bracket.
 *
 * The memory has to be readable: by a cast, or by a probe read, which lockdown=confidentiality
 * forbids.
 */
#ifndef ACCEPTWATCH_COUNTERS_BPF_H
#define ACCEPTWATCH_COUNTERS_BPF_H

/* The low half. `access`: never AW_PACKETS_UNREADABLE. */
static __always_inline __u32 read_counter(enum aw_packet_access access, __u64 address)
{
	__u32 value = 0;

	if (access == AW_PACKETS_CAST)
		return AW_CAST((struct in6_addr *)address)->in6_u.u6_addr32[0];
	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* struct bpf_array in include/linux/bpf.h: of a per-CPU array, where its values are. */
struct bpf_array___percpu {
	void *pptrs[1];
} __attribute__((preserve_access_index));

/*
 * What per-CPU pointers are relative to: as far as this CPU's value of our own map is from the
 * map's per-CPU pointer. (The variable this_cpu_off has no address where the kernel's table of
 * symbols has no data.) Pointers go through memory, for typed programs may not calculate with them.
 */
static __always_inline __u64 base_of_this_cpu(struct aw_scratch *s, enum aw_packet_access access)
{
	volatile __u64 *through = &s->base;
	__u64 value, values;

	*through = (__u64)s;
	value = *through;
	*through = (__u64)&aw_scratch;
	values = *through + bpf_core_field_offset(struct bpf_array___percpu, pptrs);
	return value - (read_counter(access, values) |
			(__u64)read_counter(access, values + sizeof(__u32)) << 32);
}

/* `counters`: a per-CPU pointer to an array of 64-bit counters. */
static __always_inline void find_counter(__u64 *address, __u64 base, const void *counters,
					 __u32 number)
{
	/* Through memory: typed programs may not calculate with pointers. */
	*(volatile __u64 *)address = (__u64)counters;
	*address = base + *(volatile __u64 *)address + 8 * number;
}

/*
 * ListenDrops: tcp_listendrop(). ListenOverflows is the one before it (include/uapi/linux/snmp.h).
 * TCPReqQFullDoCookies, and TCPReqQFullDrop after it: tcp_syn_flood_action().
 * OutNoRoutes: inet_csk_route_req(), ip6_dst_lookup_tail().
 */
static __always_inline void find_counters(struct aw_scratch *s, struct net *net,
					  enum aw_packet_access access)
{
	const __u64 base = base_of_this_cpu(s, access);
	struct aw_counter_addresses *c = &s->counters;

	find_counter(&c->drops, base, READ(net, mib.net_statistics), aw_config.listen_drops);
	c->overflows = c->drops - sizeof(__u64);
	find_counter(&c->syn_floods, base, READ(net, mib.net_statistics), aw_config.syn_floods);
	find_counter(&c->no_routes_v4, base, READ(net, mib.ip_statistics), aw_config.no_routes);
	find_counter(&c->no_routes_v6, base, READ(net, mib.ipv6_statistics), aw_config.no_routes);
}

/*
 * A SYN finds them where the one before it on this CPU has left them, if that was for the same
 * listener, or for another one in its namespace.
 */
static __always_inline void counters_of(struct aw_scratch *s, struct sock *sk,
					enum aw_packet_access access)
{
	const __u64 listener = READ(sk, __sk_common.skc_cookie.counter);
	struct aw_counter_addresses *c = &s->counters;
	struct net *net;
	__u64 netns;

	if (listener && c->listener == listener)
		return;
	net = READ_ARG(sk, __sk_common.skc_net.net);
	netns = netns_cookie(net);
	if (!netns || c->netns != netns) {
		find_counters(s, net, access);
		s->overflows = read_counter(access, c->overflows);
		s->cookies_decided = read_counter(access, c->syn_floods);
		s->syn_queue_drops = read_counter(access, c->syn_floods + sizeof(__u64));
	}
	c->netns = netns;
	c->ipv4 = READ(sk, __sk_common.skc_family) == AF_INET;
	c->listener = listener;
}

/*
 * Whether the counters that this CPU knows are those of this listener's namespace, and programs see
 * each packet that moves them.
 */
static __always_inline bool knows_counters_of(const struct aw_scratch *s, struct sock *sk)
{
	return aw_config.sees_overflows && aw_config.counter_access && s->counters.netns &&
	       s->counters.netns == netns_cookie(READ(sk, __sk_common.skc_net.net));
}

/*
 * Whether the accept queue was full, by the kernel's own count: by the time that the queue is read,
 * another CPU may have emptied or filled it. A program sees each packet that the kernel counts in
 * ListenOverflows; so what was counted since the last of them on this CPU is the packet at hand.
 */
static __always_inline bool overflow_was_counted(const struct aw_scratch *s)
{
	const enum aw_packet_access access = aw_config.counter_access;

	return access != AW_PACKETS_UNREADABLE &&
	       read_counter(access, s->counters.overflows) != s->overflows;
}

/* Whether a counter has moved since it was last seen; now it is seen. */
static __always_inline bool take_count(__u64 address, __u32 *seen)
{
	const __u32 before = *seen;

	*seen = read_counter(aw_config.counter_access, address);
	return *seen != before;
}

/* As overflow_was_counted(), and that packet is the last that was seen. */
static __always_inline bool take_overflow(struct aw_scratch *s)
{
	return aw_config.counter_access && take_count(s->counters.overflows, &s->overflows);
}

/*
 * Whether the SYN at hand, which was dropped or answered with a cookie, found the SYN queue full
 * (or tcp_syncookies is 2), by the kernel's own count. tcp_syn_flood_action() counts each in
 * one of two counters, by whether there are cookies.
 */
static __always_inline bool take_syn_flood(struct aw_scratch *s, bool cookies)
{
	const __u64 address = s->counters.syn_floods;

	if (cookies)
		return take_count(address, &s->cookies_decided);
	return take_count(address + sizeof(__u64), &s->syn_queue_drops);
}

static __always_inline __u64 no_routes_of(const struct aw_counter_addresses *c, struct sk_buff *skb)
{
	/* IPv6 sockets serve both. */
	if (c->ipv4 || READ(skb, protocol) == bpf_htons(ETH_P_IP))
		return c->no_routes_v4;
	return c->no_routes_v6;
}

#endif
