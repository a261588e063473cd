/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The last packet of a handshake: tcp_v4_syn_recv_sock() and its IPv6 twin make
 * the child, or return NULL and the client believes that it is connected.
 */
#ifndef ACCEPTWATCH_ACK_STAGE_BPF_H
#define ACCEPTWATCH_ACK_STAGE_BPF_H

/*
 * The queue had room: tcp_v4_syn_recv_sock() has made a child, found no route or no port for
 * it, and ends it by inet_csk_prepare_forced_close() and tcp_done(), from SYN_RECV.
 */
static __always_inline void on_child_discarded(struct sock *child)
{
	struct aw_scratch *s = scratch();

	if (s)
		s->discarded_ports = both_ports(bpf_ntohs(READ(child, __sk_common.skc_dport)),
						local_port(child));
}

/* Whether the queue was full: as the kernel has counted, or else as it is now. */
static __always_inline bool overflowed(struct sock *sk, bool full_now)
{
	struct aw_scratch *s = scratch();

	return s && knows_counters_of(s, sk) ? take_overflow(s) : full_now;
}

/* The same of a packet that comes by once more: its RST is sent before it is freed. */
static __always_inline bool is_overflow(struct sock *sk, bool full_now)
{
	struct aw_scratch *s = scratch();

	return s && knows_counters_of(s, sk) ? overflow_was_counted(s) : full_now;
}

static __always_inline enum aw_reason
ack_drop_reason(struct sock *sk, const struct aw_syn_facts *facts, const struct aw_endpoints *ends)
{
	const enum aw_reason by_depth =
		aw_ack_drop_reason(facts->accept_depth, facts->accept_limit);
	const bool full = overflowed(sk, by_depth == AW_ACCEPT_QUEUE_FULL);
	struct aw_scratch *s = scratch();

	if (s && s->discarded_ports == both_ports(ends->client_port, ends->server_port)) {
		s->discarded_ports = 0;
		return AW_REQUEST_FAILED;
	}
	return full ? AW_ACCEPT_QUEUE_FULL : AW_REQUEST_FAILED;
}

/* `kept`: the request was in the SYN queue; otherwise the ACK was a cookie. */
static __always_inline void on_child_refused(struct sock *sk, struct sk_buff *skb,
					     struct request_sock *req, bool kept)
{
	struct aw_event e = { .action = AW_LISTEN_DROP };
	struct aw_syn_facts facts = {};
	struct aw_scratch *s = scratch();

	read_syn_facts(sk, &facts);
	ends_of_request(req, &e.ends);
	e.reason = ack_drop_reason(sk, &facts, &e.ends);
	e.stage = kept ? AW_STAGE_ACK : AW_STAGE_COOKIE;
	/* A second cookie ACK of a client that has its child already: no loss. */
	if (!kept && e.reason != AW_ACCEPT_QUEUE_FULL)
		return;
	/*
	 * The RST that tcp_check_req() is about to send is this ACK's. Noted only
	 * where one follows, which forgets it again: a later packet may be at the
	 * same address.
	 */
	if (s && kept && aborts_on_overflow(sk))
		s->overflow_skb = (__u64)skb;
	e.flags = AW_HAS_ENDS;
	report_at(sk, &e, &facts);
}

/* tcp_v6_syn_recv_sock() hands IPv4 on to its twin, which reports it. */
static __always_inline bool ipv4_of_ipv6_listener(struct sk_buff *skb)
{
	return READ(skb, protocol) == bpf_htons(ETH_P_IP);
}

#endif
