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

static __always_inline __u8 class_of(__u32 drop_reason)
{
	return drop_reason < AW_MAX_DROP_REASONS ? aw_drop_classes[drop_reason] : AW_DROP_IGNORED;
}

/* Of a packet that something else than the listener's queues refused. */
static __always_inline enum aw_reason refusal_of(__u8 class)
{
	return class < AW_NR_REASONS ? class : AW_REASON_NONE;
}

static __always_inline bool has_no_reason(__u8 class)
{
	return class == AW_DROP_UNSPECIFIED || class == AW_DROP_NO_REASON;
}

/* Until refusal_by_place() has said which; in no record. */
#define REASON_BY_PLACE ((enum aw_reason)AW_NR_REASONS)

/* Without a reason, and before a socket is known, the place tells. */
static __always_inline enum aw_reason refusal_on_the_way(__u8 class)
{
	return has_no_reason(class) ? REASON_BY_PLACE : refusal_of(class);
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
						     const struct aw_endpoints *ends, __u8 class)
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
						 const struct aw_syn_facts *facts, __u8 class,
						 struct aw_event *e)
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
	if (describe_rejected_syn(skb, &e))
		report(&e);
}

/* `length` and `size` with the 0 at the end. */
static __always_inline bool is_named(const char *name, long length, const char *function,
				     const long size)
{
	if (length != size)
		return false;
	for (long i = 0; i < size; i++) {
		if (name[i] != function[i])
			return false;
	}
	return true;
}

#define IS_NAMED(name, length, function) is_named(name, length, function, sizeof(function))

/*
 * Who frees packets and gives no reason: nf_queue(), what no program reads from its queue, and
 * generic XDP, what its program refuses (netif_receive_generic_xdp(), as a rule inlined). Where
 * they do so is the same each time; the kernel names it (bpf_snprintf(), 5.13).
 */
static __always_inline enum aw_reason refusal_by_place(void *location)
{
	__u64 address = (__u64)location;
	char name[32] = {};
	long length; /* with the 0 at its end */

	if (address == aw_freed_by_nf_queue)
		return AW_NETFILTER_QUEUE;
	if (address == aw_freed_by_xdp)
		return AW_XDP;
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_snprintf))
		return AW_REASON_NONE;
	length = bpf_snprintf(name, sizeof(name), aw_symbol_format, &address, sizeof(address));
	if (IS_NAMED(name, length, "nf_queue")) {
		aw_freed_by_nf_queue = address;
		return AW_NETFILTER_QUEUE;
	}
	if (IS_NAMED(name, length, "do_xdp_generic") ||
	    IS_NAMED(name, length, "netif_receive_generic_xdp")) {
		aw_freed_by_xdp = address;
		return AW_XDP;
	}
	return AW_REASON_NONE;
}

static __always_inline bool describe_refused_on_the_way(struct sk_buff *skb, void *location,
							struct aw_event *e)
{
	if (e->reason == AW_FIREWALL)
		e->chain = chain_that_dropped(skb);
	if (e->reason == AW_REASON_NONE || !describe_on_the_way(skb, e))
		return false;
	if (e->reason == REASON_BY_PLACE)
		e->reason = refusal_by_place(location);
	return e->reason != AW_REASON_NONE;
}

/*
 * A SYN whose ports are those of a connection that is not over here: that answers it, and the
 * listener never sees it.
 */
static __always_inline bool describe_old_connection(struct sk_buff *skb, struct sock *old,
						    __u8 class, struct aw_event *e)
{
	const __u8 state = sock_state(old);
	__u8 flags;

	/*
	 * tcp_timewait_state_process() has a reason for a timestamp only; what else it refuses
	 * may be answered with a RST, which is told as such.
	 */
	if (class != AW_OLD_CONNECTION && class != AW_TIMESTAMPS)
		return false;
	if (!parse_packet(skb, &e->ends, &flags) || !was_listened_on(e->ends.server_port))
		return false;
	if ((flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) != TCP_FLAG_SYN)
		return false;
	e->reason = AW_OLD_CONNECTION;
	e->stage = AW_STAGE_SYN;
	e->flags = AW_HAS_ENDS;
	e->old_state = state;
	e->old_ms = age_of_connection(old, state);
	e->old_inode = state == TCP_TIME_WAIT ? 0 : listener_inode(old);
	note_device(skb, e);
	return true;
}

/*
 * tcp_filter() asks the programs of the cgroup first, then the security module, then the filter of
 * the socket: SOCKET_FILTER is for the first and the last alike.
 */
static __always_inline enum aw_reason filter_of(struct sock *sk, enum aw_reason reason)
{
	return reason == AW_SOCKET_FILTER && !READ(sk, sk_filter) ? AW_CGROUP_PROGRAM : reason;
}

static __always_inline bool describe_refused_by_listener(struct sk_buff *skb, struct sock *sk,
							 struct aw_event *e)
{
	__u8 flags;

	e->reason = filter_of(sk, e->reason);

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
 * `class`: of the drop reason, enum aw_drop_class. A valid cookie that finds the queue full is
 * dropped with NO_SOCKET and with the listener as the socket (6.12 to 7.3); NO_SOCKET without one
 * is a closed port.
 */
static __always_inline bool describe_refusal(struct sk_buff *skb, void *location, struct sock *sk,
					     __u8 class, struct aw_event *e)
{
	struct aw_syn_facts facts = {};
	bool told;

	if (known_null(sk) || !sk) {
		e->reason = refusal_on_the_way(class);
		return describe_refused_on_the_way(skb, location, e);
	}
	e->reason = refusal_of(class);
	if (sock_state(sk) != TCP_LISTEN)
		return describe_old_connection(skb, sk, class, e);
	if (class == AW_DROP_NO_REASON)
		return false;
	read_syn_facts(sk, &facts);
	if (e->reason == AW_REASON_NONE)
		told = describe_refused_ack(sk, skb, &facts, class, e);
	else
		told = describe_refused_by_listener(skb, sk, e);
	if (told)
		describe_at(sk, e, &facts);
	return told;
}

static __always_inline void report_refusal(struct sk_buff *skb, void *location, struct sock *sk,
					   __u32 drop_reason, __u8 class)
{
	struct aw_event *e = begin_event(AW_DRAFT_OF_SKB_DROP);

	if (!e)
		return;
	e->action = AW_LISTEN_DROP;
	note_drop_reason(e, drop_reason);
	if (describe_refusal(skb, location, sk, class, e))
		report(e);
	end_event(e);
}

/* It fires for packets of all kinds: no event is made before it is known to be of interest. */
static __always_inline void on_kfree_skb(struct sk_buff *skb, void *location, __u32 drop_reason,
					 struct sock *sk)
{
	__u8 class = class_of(drop_reason);

	if (class)
		report_refusal(skb, location, sk, drop_reason, class);
}

/* Where the tracepoint does not name the socket. */
static __always_inline void on_kfree_skb_reason(struct sk_buff *skb, void *location,
						__u32 drop_reason)
{
	__u8 class = class_of(drop_reason);
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
		e->reason = refusal_on_the_way(class);
		note_drop_reason(e, drop_reason);
		told = describe_refused_on_the_way(skb, location, e);
	}
	if (told)
		report(e);
	end_event(e);
}

#endif
