/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first packet of a handshake. tcp_conn_request() returns 0 whatever it
 * did, and a SYN that it drops is freed by consume_skb(), which no tracepoint
 * tells from success. So it is bracketed: every way that answers the client
 * (request socket, cookie, Fast Open) builds exactly one SYN-ACK in
 * tcp_make_synack(); a call that ends without one dropped the SYN.
 */
#ifndef ACCEPTWATCH_SYN_STAGE_BPF_H
#define ACCEPTWATCH_SYN_STAGE_BPF_H

static __always_inline void on_conn_request(struct sock *sk, struct sk_buff *skb)
{
	struct aw_scratch *s = scratch();

	if (!s)
		return;
	s->sk = (__u64)sk;
	s->skb = (__u64)skb;
	s->accept_depth = READ(sk, sk_ack_backlog);
	s->syn_depth = syn_queue_depth(sk);
	s->drops = (__u32)READ(sk, sk_drops.counter);
	s->answered = 0;
	s->cookie = 0;
	s->security = AW_SECURITY_NOT_ASKED;
}

/* security_inet_conn_request(): asked when the request is made, before its route. */
static __always_inline void on_security_asked(int refused)
{
	struct aw_scratch *s = scratch();

	if (s)
		s->security = refused ? AW_SECURITY_REFUSED : AW_SECURITY_ALLOWED;
}

/*
 * What comes before and after the security module tells why no request was made.
 * After it is the route back; since 6.12 also a malformed MD5 or AO option.
 */
static __always_inline enum aw_reason failure_reason(const struct aw_scratch *s)
{
	if (!aw_config.sees_security_module)
		return AW_REQUEST_FAILED;
	if (s->security == AW_SECURITY_NOT_ASKED)
		return AW_MEMORY;
	return s->security == AW_SECURITY_REFUSED ? AW_SECURITY_MODULE : AW_NO_ROUTE;
}

static __always_inline void on_make_synack(enum tcp_synack_type type)
{
	struct aw_scratch *s = scratch();

	if (!s)
		return;
	s->answered = 1;
	s->cookie = type == TCP_SYNACK_COOKIE;
}

static __always_inline void report_syn(struct sock *sk, struct sk_buff *skb,
				       const struct aw_syn_facts *facts, enum aw_action action,
				       enum aw_reason reason)
{
	struct aw_event e = {
		.action = action,
		.reason = reason,
		.stage = AW_STAGE_SYN,
	};

	if (ends_of_packet(skb, &e.ends))
		e.flags = AW_HAS_ENDS;
	report_at(sk, &e, facts);
}

static __always_inline void on_conn_request_return(struct sock *sk, struct sk_buff *skb)
{
	struct aw_scratch *s = scratch();
	struct aw_syn_facts facts = {};
	enum aw_reason reason;

	if (!s || s->sk != (__u64)sk || !sk)
		return;
	s->sk = 0;
	if (s->answered && !s->cookie)
		return;
	read_syn_facts(sk, &facts);
	if (s->answered) {
		reason = facts.syncookies == 2 ? AW_ALWAYS : AW_SYN_QUEUE_FULL;
		report_syn(sk, skb, &facts, AW_SYNCOOKIE_SENT, reason);
		return;
	}
	/*
	 * The queues at entry decided, unless another CPU filled one before
	 * the kernel looked: then they show it now.
	 */
	reason = aw_syn_drop_reason(&facts);
	if (reason == AW_REQUEST_FAILED || facts.accept_depth < s->accept_depth) {
		facts.accept_depth = s->accept_depth;
		facts.syn_depth = s->syn_depth;
		reason = aw_syn_drop_reason(&facts);
	}
	/*
	 * No queue is full. Since 6.1 a second request for the same client,
	 * raced by another CPU, is silently given up; a loss bumps sk_drops.
	 */
	if (reason == AW_REQUEST_FAILED && (__u32)READ(sk, sk_drops.counter) == s->drops)
		return;
	if (reason == AW_REQUEST_FAILED)
		reason = failure_reason(s);
	report_syn(sk, skb, &facts, AW_LISTEN_DROP, reason);
}

#endif
