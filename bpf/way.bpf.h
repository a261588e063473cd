/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets of a handshake that this host refuses on their way to a listener, or on the way back from
 * it, before they have met a socket or after they have left one. Whose they are shows by the
 * request that holds them: tcp_v4_early_demux() gives it to an ACK, tcp_make_synack() to the
 * answer. A SYN has none yet, nor has an answer with a cookie: user space looks for who listens
 * there. An ACK without one may belong to any connection, and is not told. What only passes through
 * this host is told where this host translates it: a published port.
 */
#ifndef ACCEPTWATCH_WAY_BPF_H
#define ACCEPTWATCH_WAY_BPF_H

#define RTN_LOCAL 2
#define RTF_LOCAL 0x80000000

/* skb_dst() */
static __always_inline __u64 route_of(struct sk_buff *skb)
{
	return READ(skb, _skb_refdst) & ~1ull; /* SKB_DST_NOREF */
}

static __always_inline bool leads_here(struct sk_buff *skb, __u64 dst)
{
	if (READ(skb, protocol) == bpf_htons(ETH_P_IP))
		return (read_raw_u32(dst + bpf_core_field_offset(struct rtable, rt_type)) &
			0xffff) == RTN_LOCAL;
	return read_raw_u32(dst + bpf_core_field_offset(struct rt6_info, rt6i_flags)) & RTF_LOCAL;
}

/*
 * A packet on its way to this host: not one that it sends, which no device has received, nor
 * forwards. Before routing, where a full connection-tracking table drops, that is not known yet.
 */
static __always_inline bool bound_for_here(struct sk_buff *skb)
{
	__u64 dst = route_of(skb);

	return !dst || (READ(skb, skb_iif) && leads_here(skb, dst));
}

#define LOOPBACK_IFINDEX 1

/*
 * ip_rcv_core() and ip6_rcv_core() have been here: they write which device it came from
 * into a control block that they clear. Forwarded packets have a flag in theirs.
 */
static __always_inline bool seen_by_ip(struct sk_buff *skb)
{
	if (READ_CB(__u32, skb, bpf_core_field_offset(struct inet_skb_parm, iif)) !=
	    (__u32)READ(skb, skb_iif))
		return false;
	if (READ(skb, protocol) == bpf_htons(ETH_P_IP))
		return !READ_CB(__u16, skb, bpf_core_field_offset(struct inet_skb_parm, flags));
	return !READ_CB(__u16, skb, bpf_core_field_offset(struct inet6_skb_parm, flags));
}

/*
 * nf_hook_slow() drops for all hooks alike. The ingress hook comes before IP; routing,
 * between PREROUTING and INPUT, sets the destination, which a looped packet has from the
 * start. (Where the transport header is does not tell: GRO and TUN devices set it, too.)
 * Of a packet that this host sends ip_output() and ip6_output() set the device, after OUTPUT;
 * of one that it forwards they change it.
 */
static __always_inline enum aw_hook netfilter_hook_of(struct sk_buff *skb)
{
	const int came_by = READ(skb, skb_iif);
	const __u64 dst = route_of(skb);
	int device;

	if (!came_by)
		return READ(skb, dev) ? AW_HOOK_POSTROUTING : AW_HOOK_OUTPUT;
	device = READ(skb, dev, ifindex);
	if (device == LOOPBACK_IFINDEX)
		return AW_HOOK_UNKNOWN;
	if (!dst)
		return seen_by_ip(skb) ? AW_HOOK_PREROUTING : AW_HOOK_INGRESS;
	if (leads_here(skb, dst))
		return AW_HOOK_INPUT;
	return device == came_by ? AW_HOOK_FORWARD : AW_HOOK_POSTROUTING;
}

static __always_inline __u64 read_raw_u64(__u64 address)
{
	return read_raw_u32(address) | (__u64)read_raw_u32(address + 4) << 32;
}

/* That it came by, or leaves by: at OUTPUT only its route has it. 0: none. */
static __always_inline __u64 device_of(struct sk_buff *skb)
{
	__u64 device = (__u64)READ(skb, dev);
	__u64 dst = route_of(skb);

	if (device || !dst)
		return device;
	return read_raw_u64(dst + bpf_core_field_offset(struct dst_entry, dev));
}

/* The kernel's names are shorter than IFNAMSIZ: a 0 ends them. */
static __always_inline void note_device(struct sk_buff *skb, struct aw_event *e)
{
	__u64 device = device_of(skb);
	__u64 name = device + bpf_core_field_offset(struct net_device, name);
	__u64 net;

	if (!device)
		return;
#pragma unroll
	for (int word = 0; word < AW_DEVICE_LEN / 4; word++)
		((__u32 *)e->device)[word] = read_raw_u32(name + 4 * word);
	net = read_raw_u64(device + bpf_core_field_offset(struct net_device, nd_net.net));
	e->listener.netns = read_raw_u32(net + bpf_core_field_offset(struct net, ns.inum));
}

static __always_inline void swap_ends(struct aw_endpoints *ends)
{
	struct aw_endpoints other = *ends;

	__builtin_memcpy(ends->server_address, other.client_address, AW_ADDRESS_LEN);
	__builtin_memcpy(ends->client_address, other.server_address, AW_ADDRESS_LEN);
	ends->server_port = other.client_port;
	ends->client_port = other.server_port;
}

/* The request that holds a packet: the kernel gives it to ACKs and answers. */
static __always_inline struct sock *request_holding(struct sk_buff *skb)
{
	struct sock *sk = READ(skb, sk);

	return !known_null(sk) && sk && sock_state(sk) == TCP_NEW_SYN_RECV ? sk : NULL;
}

/* False: a typed program that cannot follow it to its listener. */
static __always_inline bool describe_by_request(struct sock *sk, struct aw_event *e)
{
	struct request_sock *req = request_at((__u64)sk);
	struct sock *listener = req ? listener_of(req) : NULL;
	struct aw_syn_facts facts = {};

	if (!listener)
		return false;
	read_syn_facts(listener, &facts);
	describe_request(listener, req, e, &facts);
	return true;
}

/* Whether anybody has listened on that port, in whatever network namespace. */
static __always_inline bool was_listened_on(__u16 port)
{
	return aw_listened_ports[port];
}

/*
 * A SYN, of which no listener is known (yet). What comes by that is for others (a bridge, a
 * promiscuous device) is told of ports only that somebody here listens on.
 */
static __always_inline bool concerns_listener(struct sk_buff *skb, const struct aw_event *e)
{
	if (e->reason == AW_NOT_LOCAL)
		return was_listened_on(e->ends.server_port);
	/* On its way into a CPU's backlog, no device has received it yet. */
	return e->reason == AW_CPU_BACKLOG || bound_for_here(skb);
}

/* A packet that somebody on this host refused, and that no socket is known to be for. */
static __always_inline bool describe_on_the_way(struct sk_buff *skb, struct aw_event *e)
{
	bool translated, passing = false;
	struct sock *request;
	__u8 flags;

	if (!parse_packet(skb, &e->ends, &flags))
		return false;
	flags &= TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;
	if (!(flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) || flags & TCP_FLAG_RST)
		return false;
	request = request_holding(skb);
	translated = original_destination_of(skb);
	if (flags == TCP_FLAG_SYN) {
		if (!request && !translated && !concerns_listener(skb, e))
			return false;
		passing = !request && !bound_for_here(skb);
		e->stage = AW_STAGE_SYN;
	} else if (flags == TCP_FLAG_ACK) {
		if (!request)
			return false;
		e->stage = AW_STAGE_ACK;
	} else {
		/* Received: of a connection that begins here, or passes. */
		passing = READ(skb, skb_iif);
		if ((passing && !translated) || e->reason == AW_CPU_BACKLOG)
			return false;
		swap_ends(&e->ends);
		e->stage = AW_STAGE_SYNACK;
	}
	e->flags = AW_HAS_ENDS;
	if (passing)
		e->flags |= AW_IS_PASSING;
	if (e->reason == AW_FIREWALL)
		e->hook = netfilter_hook_of(skb);
	note_device(skb, e);
	if (request)
		describe_by_request(request, e);
	note_translation(skb, e);
	return true;
}

/* A SYN that the firewall answers with a RST. */
static __always_inline bool describe_rejected_syn(struct sk_buff *skb, struct aw_event *e)
{
	bool passing = !bound_for_here(skb);
	__u8 flags;

	if (passing && !original_destination_of(skb))
		return false;
	if (!parse_packet(skb, &e->ends, &flags) || !is_attempt(flags))
		return false;
	e->flags = AW_HAS_ENDS | (passing ? AW_IS_PASSING : 0);
	e->stage = AW_STAGE_SYN;
	e->hook = netfilter_hook_of(skb);
	note_device(skb, e);
	note_translation(skb, e);
	return true;
}

#endif
