/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets of a handshake that something else than a queue refuses: skb:kfree_skb, with its reason
 * and, on later kernels, the socket that it was for. It fires for every packet of every protocol:
 * the reason is looked at first, in a table that user space makes from the running kernel's names.
 *
 * It also stands in for functions: for the ACK stage and requests that are reset where it names
 * both cause and listener, which spares each connection two hooks; in the tracepoint tier, also as
 * far as it goes before, and for closed ports where tcp:tcp_send_reset does not tell of them.
 */
#ifndef ACCEPTWATCH_SKB_DROP_BPF_H
#define ACCEPTWATCH_SKB_DROP_BPF_H

static __always_inline enum aw_drop_class class_of(__u32 drop_reason)
{
	return drop_reason < AW_MAX_DROP_REASONS ? aw_drop_classes[drop_reason] : AW_DROP_IGNORED;
}

/* Of a packet that something else than the listener's queues refused. */
static __always_inline enum aw_reason refusal_of(enum aw_drop_class class)
{
	switch (class) {
	case AW_DROP_FIREWALL:
		return AW_FIREWALL;
	case AW_DROP_SOCKET_FILTER:
		return AW_SOCKET_FILTER;
	case AW_DROP_SECURITY_MODULE:
		return AW_SECURITY_MODULE;
	case AW_DROP_AUTHENTICATION:
		return AW_AUTHENTICATION;
	case AW_DROP_OTHER:
		return AW_OTHER;
	default:
		return AW_REASON_NONE;
	}
}

static __always_inline void note_drop_reason(struct aw_event *e, __u32 drop_reason)
{
	e->reason_space = AW_SKB_DROP_REASON;
	e->kernel_reason = drop_reason;
}

/* An ACK that TCP_DEFER_ACCEPT ignores is dropped too, and is no loss. */
static __always_inline bool deferred_ack(struct sock *sk, struct sk_buff *skb)
{
	return defers_accept(sk) && !tcp_carries_data(skb);
}

/*
 * Why this ACK was dropped; AW_REASON_NONE: it was no loss. tcp_check_req() says
 * TCP_LISTEN_OVERFLOW whatever kept tcp_v4_syn_recv_sock() from making a child. An ACK with a
 * cookie, and each where the kernel has no such reason, is a loss if the queue is full.
 */
static __always_inline enum aw_reason refusal_of_ack(struct sock *sk, struct sk_buff *skb,
						     const struct aw_syn_facts *facts,
						     const struct aw_endpoints *ends,
						     enum aw_drop_class class)
{
	const bool cookie = class == AW_DROP_NO_SOCKET;
	bool full;

	if (class == AW_DROP_OVERFLOW)
		return ack_drop_reason(sk, facts, ends);
	if (!cookie && overflow_has_a_reason())
		return AW_REASON_NONE;
	if (!cookie && deferred_ack(sk, skb))
		return AW_REASON_NONE;
	full = aw_accept_queue_full(facts->accept_depth, facts->accept_limit);
	return overflowed(sk, full) ? AW_ACCEPT_QUEUE_FULL : AW_REASON_NONE;
}

/* An ACK, or a RST to a request. */
static __always_inline bool describe_refused_ack(struct sock *sk, struct sk_buff *skb,
						 const struct aw_syn_facts *facts,
						 enum aw_drop_class class, struct aw_event *e)
{
	__u8 flags = tcp_flags_of(skb) & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST);

	e->stage = class == AW_DROP_NO_SOCKET ? AW_STAGE_COOKIE : AW_STAGE_ACK;
	if (ends_of_packet(skb, &e->ends))
		e->flags = AW_HAS_ENDS;
	if (flags & TCP_FLAG_RST && !(flags & TCP_FLAG_SYN)) {
		/* A RST to the listener itself has a reason of its own. */
		if (e->stage == AW_STAGE_COOKIE)
			return false;
		e->action = AW_RESET_RECEIVED;
		e->reason = AW_IN_HANDSHAKE;
		return true;
	}
	if (flags != TCP_FLAG_ACK)
		return false;
	e->reason = refusal_of_ack(sk, skb, facts, &e->ends, class);
	return e->reason != AW_REASON_NONE;
}

#define RTN_LOCAL 2
#define RTF_LOCAL 0x80000000

/*
 * A packet on its way to this host: not one that it sends, nor forwards. Before
 * routing, where a full connection-tracking table drops, that is not known yet, and a
 * TUN device's packets still have the socket that wrote them.
 */
static __always_inline bool bound_for_here(struct sk_buff *skb)
{
	__u64 dst = READ(skb, _skb_refdst) & ~1ull; /* SKB_DST_NOREF */

	if (!dst)
		return true;
	if (READ(skb, sk))
		return false;
	if (READ(skb, protocol) == bpf_htons(ETH_P_IP))
		return (read_raw_u32(dst + bpf_core_field_offset(struct rtable, rt_type)) &
			0xffff) == RTN_LOCAL;
	return read_raw_u32(dst + bpf_core_field_offset(struct rt6_info, rt6i_flags)) & RTF_LOCAL;
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
 */
static __always_inline enum aw_hook netfilter_hook_of(struct sk_buff *skb)
{
	if (READ(skb, dev, ifindex) == LOOPBACK_IFINDEX)
		return AW_HOOK_UNKNOWN;
	if (READ(skb, _skb_refdst) & ~1ull)
		return AW_HOOK_INPUT;
	return seen_by_ip(skb) ? AW_HOOK_PREROUTING : AW_HOOK_INGRESS;
}

/* NULL: no chain that is watched is evaluating this packet, or has just dropped it. */
static __always_inline struct aw_chain_run *chain_run_of(struct sk_buff *skb)
{
	struct aw_chain_run *run = chain_run();

	return run && run->skb == (__u64)skb ? run : NULL;
}

static __always_inline __u64 chain_evaluating(struct sk_buff *skb)
{
	struct aw_chain_run *run = chain_run_of(skb);

	return run ? run->chain : 0;
}

/* Of any packet, and no longer: what is at the same address later is another one. */
static __always_inline __u64 chain_that_dropped(struct sk_buff *skb)
{
	struct aw_chain_run *run = chain_run_of(skb);

	if (!run)
		return 0;
	run->skb = 0;
	return run->chain;
}

/* A SYN to this host, of which no listener is known (yet): user space looks for who listens. */
static __always_inline bool describe_syn(struct sk_buff *skb, struct aw_event *e)
{
	__u8 flags;

	if (!bound_for_here(skb) || !parse_packet(skb, &e->ends, &flags))
		return false;
	if ((flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) != TCP_FLAG_SYN)
		return false;
	e->flags = AW_HAS_ENDS;
	e->stage = AW_STAGE_SYN;
	if (e->reason == AW_FIREWALL)
		e->hook = netfilter_hook_of(skb);
	e->listener.netns = READ(skb, dev, nd_net.net, ns.inum);
	return true;
}

static __always_inline bool describe_refused_syn(struct sk_buff *skb, struct aw_event *e)
{
	if (e->reason == AW_FIREWALL)
		e->chain = chain_that_dropped(skb);
	return describe_syn(skb, e);
}

/*
 * nf_send_reset() and its IPv6 twin are a module's. But both hand the RST that they made to
 * nf_ct_attach(), which is the kernel's own, just before they send it; and so do ICMP errors,
 * before they have a header.
 */
static __always_inline void on_netfilter_answer(struct sk_buff *answer, struct sk_buff *skb)
{
	struct aw_event e = { .action = AW_RESET_SENT, .reason = AW_FIREWALL };
	__u8 flags;

	if (!parse_packet(answer, &e.ends, &flags) || !(flags & TCP_FLAG_RST))
		return;
	e.chain = chain_evaluating(skb);
	if (describe_syn(skb, &e))
		report(&e);
}

static __always_inline bool describe_refused_by_listener(struct sk_buff *skb, struct aw_event *e)
{
	__u8 flags;

	if (!parse_packet(skb, &e->ends, &flags))
		return false;
	flags &= TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;
	if (flags != TCP_FLAG_SYN && flags != TCP_FLAG_ACK)
		return false;
	e->stage = flags == TCP_FLAG_SYN ? AW_STAGE_SYN : AW_STAGE_ACK;
	e->flags = AW_HAS_ENDS;
	return true;
}

/*
 * `class`: of the drop reason. A valid cookie that finds the queue full is dropped with NO_SOCKET
 * and with the listener as the socket (6.12 to 7.3); NO_SOCKET without one is a closed port.
 */
static __always_inline bool describe_refusal(struct sk_buff *skb, struct sock *sk,
					     enum aw_drop_class class, struct aw_event *e)
{
	struct aw_syn_facts facts = {};
	bool told;

	e->reason = refusal_of(class);
	if (known_null(sk) || !sk)
		return (class == AW_DROP_FIREWALL || class == AW_DROP_OTHER) &&
		       describe_refused_syn(skb, e);
	if (sock_state(sk) != TCP_LISTEN)
		return false;
	read_syn_facts(sk, &facts);
	if (e->reason == AW_REASON_NONE)
		told = describe_refused_ack(sk, skb, &facts, class, e);
	else
		told = describe_refused_by_listener(skb, e);
	if (told)
		describe_at(sk, e, &facts);
	return told;
}

static __always_inline void report_refusal(struct sk_buff *skb, struct sock *sk, __u32 drop_reason,
					   enum aw_drop_class class)
{
	struct aw_event *e = begin_event(AW_DRAFT_OF_SKB_DROP);

	if (!e)
		return;
	e->action = AW_LISTEN_DROP;
	note_drop_reason(e, drop_reason);
	if (describe_refusal(skb, sk, class, e))
		report(e);
	end_event(e);
}

/* It fires for packets of all kinds: no event is made before it is known to be of interest. */
static __always_inline void on_kfree_skb(struct sk_buff *skb, __u32 drop_reason, struct sock *sk)
{
	enum aw_drop_class class = class_of(drop_reason);

	if (class)
		report_refusal(skb, sk, drop_reason, class);
}

/* Where the tracepoint does not name the socket. */
static __always_inline void on_kfree_skb_reason(struct sk_buff *skb, __u32 drop_reason)
{
	enum aw_drop_class class = class_of(drop_reason);
	struct aw_event *e;
	bool told;

	if (!class)
		return;
	e = begin_event(AW_DRAFT_OF_SKB_DROP);
	if (!e)
		return;
	if (class == AW_DROP_NO_SOCKET) {
		e->action = AW_RESET_SENT;
		told = describe_reset_without_socket(skb, e);
	} else {
		e->action = AW_LISTEN_DROP;
		e->reason = refusal_of(class);
		note_drop_reason(e, drop_reason);
		told = describe_refused_syn(skb, e);
	}
	if (told)
		report(e);
	end_event(e);
}

#endif
