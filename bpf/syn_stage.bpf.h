/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first packet of a handshake. tcp_conn_request() returns 0 whatever it
 * did, and a SYN that it drops is freed by consume_skb(), which no tracepoint
 * tells from success. So it is bracketed: tcp_listendrop() counts each SYN that
 * is dropped, and the kernel's own counter has moved at the end, or has not.
 *
 * Where that cannot be read (counters.bpf.h), the SYN-ACK tells: every way that answers
 * the client (request socket, cookie, Fast Open) builds one in tcp_make_synack(),
 * at the price of one more hook.
 */
#ifndef ACCEPTWATCH_SYN_STAGE_BPF_H
#define ACCEPTWATCH_SYN_STAGE_BPF_H

/*
 * tcp_listendrop() counts at the socket as well, for all CPUs together: as long as that has not
 * moved, nothing was dropped. Without casts, a typed program is spared a call by asking it first.
 */
static __always_inline bool asks_socket_first(enum aw_packet_access access)
{
#ifdef AW_PROBE_READS
	return false;
#else
	return access == AW_PACKETS_PROBE_READ;
#endif
}

/* At the entry. */
static __always_inline void note_counters(struct aw_scratch *s, struct sock *sk,
					  struct sk_buff *skb)
{
	const enum aw_packet_access access = aw_config.counter_access;
	__u64 no_routes;

	if (access == AW_PACKETS_UNREADABLE) {
		s->sk_drops = (__u32)READ(sk, sk_drops.counter);
		return;
	}
	counters_of(s, sk, access);
	no_routes = no_routes_of(&s->counters, skb);
	s->drops = read_counter(access, s->counters.drops);
	s->no_routes = read_counter(access, no_routes);
	if (asks_socket_first(access))
		s->sk_drops = (__u32)READ(sk, sk_drops.counter);
}

/* At the exit. */
static __always_inline bool was_dropped(struct aw_scratch *s, struct sock *sk)
{
	const enum aw_packet_access access = aw_config.counter_access;

	if (access == AW_PACKETS_UNREADABLE)
		return !s->answered && (__u32)READ(sk, sk_drops.counter) != s->sk_drops;
	if (asks_socket_first(access) && (__u32)READ(sk, sk_drops.counter) == s->sk_drops)
		return false;
	return read_counter(access, s->counters.drops) != s->drops;
}

static __always_inline bool found_no_route(struct aw_scratch *s, struct sk_buff *skb)
{
	const enum aw_packet_access access = aw_config.counter_access;

	return access != AW_PACKETS_UNREADABLE &&
	       read_counter(access, no_routes_of(&s->counters, skb)) != s->no_routes;
}

/* The limit is the same for both queues, and read only where it matters. */
static __always_inline bool under_pressure(struct sock *sk, __u32 accept_depth, __u32 syn_depth)
{
	__u32 deeper = accept_depth > syn_depth ? accept_depth : syn_depth;

	return deeper >= AW_LEAST_PRESSURE && aw_config.pressure_percent &&
	       aw_under_pressure(deeper, READ(sk, sk_max_ack_backlog), aw_config.pressure_percent);
}

/* Told once, until user space has seen its end. */
static __always_inline bool pressure_begins(struct sock *sk, const struct aw_syn_facts *facts)
{
	const struct aw_peaks now = { .accept = facts->accept_depth, .syn = facts->syn_depth };
	__u64 id = listener_id(sk);
	struct aw_peaks *peaks;

	peaks = bpf_map_lookup_elem(&aw_pressed, &id);
	if (!peaks)
		return !bpf_map_update_elem(&aw_pressed, &id, &now, BPF_NOEXIST);
	if (now.accept > peaks->accept)
		peaks->accept = now.accept;
	if (now.syn > peaks->syn)
		peaks->syn = now.syn;
	return false;
}

static __always_inline void on_conn_request(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = as_tcp_sock(sk);
	struct aw_scratch *s = scratch();

	if (!s || !tp)
		return;
	s->sk = (__u64)sk;
#ifdef AW_PROBE_READS
	s->skb = (__u64)skb; /* for the kretprobe */
#endif
	s->accept_depth = READ(sk, sk_ack_backlog);
	s->syn_depth = READ(tp, inet_conn.icsk_accept_queue.qlen.counter);
	s->pressure = under_pressure(sk, s->accept_depth, s->syn_depth);
	note_counters(s, sk, skb);
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
 * Why a SYN was dropped although no queue was full. tcp_conn_request() allocates the request,
 * asks the security module, looks for the route back and, on 6.12 and later, refuses a malformed
 * MD5 or AO option, in this order. So a module that was not asked means that memory was short;
 * that can be told only where its hook is watched.
 */
static __always_inline enum aw_reason failure_reason(struct aw_scratch *s, struct sk_buff *skb)
{
	if (found_no_route(s, skb))
		return AW_NO_ROUTE;
	if (refused_by_mptcp(skb))
		return AW_REQUEST_FAILED;
	if (!aw_config.sees_security_module)
		return AW_REQUEST_FAILED;
	if (s->security == AW_SECURITY_NOT_ASKED)
		return AW_MEMORY;
	if (s->security == AW_SECURITY_REFUSED)
		return AW_SECURITY_MODULE;
	return aw_config.counter_access ? AW_REQUEST_FAILED : AW_NO_ROUTE;
}

/* cookie_v4_init_sequence() and its IPv6 twin: the answer is going to be a cookie. */
static __always_inline void on_cookie_made(void)
{
	struct aw_scratch *s = scratch();

	if (s)
		s->cookie = 1;
}

static __always_inline void on_make_synack(void)
{
	struct aw_scratch *s = scratch();

	if (s)
		s->answered = 1;
}

/*
 * The queues at entry decided, unless another CPU filled one before the kernel looked:
 * then they show it now.
 */
static __always_inline enum aw_reason reason_by_depths(struct aw_scratch *s,
						       struct aw_syn_facts *facts)
{
	enum aw_reason reason = aw_syn_drop_reason(facts);

	if (reason == AW_REQUEST_FAILED || facts->accept_depth < s->accept_depth) {
		facts->accept_depth = s->accept_depth;
		facts->syn_depth = s->syn_depth;
		reason = aw_syn_drop_reason(facts);
	}
	return reason;
}

/* What the kernel has counted of a SYN, beside that it was dropped. */
struct aw_syn_counts {
	bool overflow;	/* ListenOverflows */
	bool syn_flood; /* TCPReqQFullDoCookies or TCPReqQFullDrop: take_syn_flood() */
};

/*
 * Whether a queue was full, the kernel has counted. Of the quarter that it reserves without
 * cookies there is no counter: that is told by the depths.
 */
static __always_inline enum aw_reason counted_reason(const struct aw_syn_facts *facts,
						     const struct aw_syn_counts *counts)
{
	if (counts->overflow)
		return AW_ACCEPT_QUEUE_FULL;
	if (counts->syn_flood && !facts->syncookies)
		return AW_SYN_QUEUE_FULL;
	return aw_syn_backlog_reserved(facts) ? AW_SYN_BACKLOG_RESERVED : AW_REQUEST_FAILED;
}

static __always_inline enum aw_reason drop_reason(struct aw_scratch *s, struct sk_buff *skb,
						  struct aw_syn_facts *facts,
						  const struct aw_syn_counts *counts)
{
	enum aw_reason reason = reason_by_depths(s, facts);

	if (aw_config.counter_access)
		reason = counted_reason(facts, counts);
	return reason == AW_REQUEST_FAILED ? failure_reason(s, skb) : reason;
}

/* The counters that a dropped SYN moved besides. */
static __always_inline __u8 drop_mib(const struct aw_syn_facts *facts,
				     const struct aw_syn_counts *counts)
{
	if (!aw_config.counter_access)
		return aw_syn_drop_mib(facts);
	return counts->syn_flood && facts->syncookies ? AW_MIB_REQQFULLDOCOOKIES : 0;
}

static __always_inline void report_syn(struct sock *sk, struct sk_buff *skb,
				       const struct aw_syn_facts *facts,
				       const struct aw_syn_counts *counts, enum aw_action action,
				       enum aw_reason reason)
{
	struct aw_event *e = begin_event(AW_DRAFT_OF_CONN_REQUEST);

	if (!e)
		return;
	e->action = action;
	e->reason = reason;
	e->stage = AW_STAGE_SYN;
	if (action == AW_LISTEN_DROP)
		e->extra_mib = drop_mib(facts, counts);
	if (ends_of_packet(skb, &e->ends))
		e->flags = AW_HAS_ENDS;
	report_at(sk, e, facts);
	end_event(e);
}

static __always_inline void on_conn_request_return(struct sock *sk, struct sk_buff *skb)
{
	struct aw_scratch *s = scratch();
	struct aw_syn_facts facts = {};
	enum aw_action action;
	enum aw_reason reason;
	struct aw_syn_counts counts = {};
	bool dropped;

	if (!s || s->sk != (__u64)sk || !sk)
		return;
	s->sk = 0;
	dropped = was_dropped(s, sk);
	if (!dropped && !s->cookie && !s->pressure)
		return;
	read_syn_facts(sk, &facts);
	if (aw_config.counter_access) {
		counts.overflow = dropped && take_overflow(s);
		counts.syn_flood = take_syn_flood(s, facts.syncookies);
	}
	if (!aw_active)
		return;
	if (dropped) {
		reason = drop_reason(s, skb, &facts, &counts);
		action = AW_LISTEN_DROP;
	} else if (s->cookie) {
		reason = facts.syncookies == 2 ? AW_ALWAYS : AW_SYN_QUEUE_FULL;
		action = AW_SYNCOOKIE_SENT;
	} else if (pressure_begins(sk, &facts)) {
		reason = AW_REASON_NONE;
		action = AW_QUEUE_PRESSURE;
	} else {
		return;
	}
	report_syn(sk, skb, &facts, &counts, action, reason);
}

#endif
