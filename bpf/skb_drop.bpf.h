/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ACK stage, and closed ports, where nothing but tracepoints can be had:
 * skb:kfree_skb, with its reason (5.17) and the socket that it was for (6.11).
 * It fires for every packet of every protocol: the reason is looked at first.
 */
#ifndef ACCEPTWATCH_SKB_DROP_BPF_H
#define ACCEPTWATCH_SKB_DROP_BPF_H

#define DROP_REASON(name) bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_##name)

/* TCP_LISTEN_OVERFLOW: 6.15. Before that the accept path gave no reason. */
static __always_inline bool overflow_has_a_name(void)
{
	return bpf_core_enum_value_exists(enum skb_drop_reason,
					  SKB_DROP_REASON_TCP_LISTEN_OVERFLOW);
}

static __always_inline __u32 overflow_reason(void)
{
	return overflow_has_a_name() ? DROP_REASON(TCP_LISTEN_OVERFLOW)
				     : DROP_REASON(NOT_SPECIFIED);
}

/* An ACK that TCP_DEFER_ACCEPT ignores is dropped too, and is no loss. */
static __always_inline bool deferred_ack(struct sock *sk, struct sk_buff *skb)
{
	return !overflow_has_a_name() && defers_accept(sk) && !tcp_carries_data(skb);
}

static __always_inline void on_refused_ack(struct sock *sk, struct sk_buff *skb, __u32 drop_reason,
					   enum aw_stage stage)
{
	struct aw_event e = {
		.action = AW_LISTEN_DROP,
		.reason = AW_ACCEPT_QUEUE_FULL,
		.stage = stage,
		.reason_space = AW_SKB_DROP_REASON,
		.kernel_reason = drop_reason,
	};
	struct aw_syn_facts facts = {};
	__u8 flags = tcp_flags_of(skb);

	if ((flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) != TCP_FLAG_ACK)
		return;
	read_syn_facts(sk, &facts);
	if (!aw_accept_queue_full(facts.accept_depth, facts.accept_limit))
		return;
	if (stage == AW_STAGE_ACK && deferred_ack(sk, skb))
		return;
	if (ends_of_packet(skb, &e.ends))
		e.flags = AW_HAS_ENDS;
	report_at(sk, &e, &facts);
}

/*
 * A valid cookie that finds the queue full reads NO_SOCKET (6.12 .. 7.3), with
 * the listener as the socket; NO_SOCKET without one is a closed port.
 */
static __always_inline void on_kfree_skb(struct sk_buff *skb, __u32 reason, struct sock *sk)
{
	enum aw_stage stage = AW_STAGE_ACK;

	if (reason == DROP_REASON(NO_SOCKET))
		stage = AW_STAGE_COOKIE;
	else if (reason != overflow_reason())
		return;
	if (known_null(sk) || !sk || sock_state(sk) != TCP_LISTEN)
		return;
	on_refused_ack(sk, skb, reason, stage);
}

#endif
