/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The SYN stage where nothing but tracepoints can be had: a cgroup_skb/ingress
 * program runs in tcp_filter(), just before the kernel looks at the queues, and
 * predicts what tcp_conn_request() will do from the same numbers. It sees what
 * the sockets below its cgroup receive.
 *
 * The prediction is reported when the SYN is freed, still on this CPU: by
 * consume_skb() if it reached tcp_conn_request(). If something else refused it first
 * (its checksum, the socket's own filter, a security module), it is freed by
 * kfree_skb(), and the prediction is dropped.
 *
 * Another CPU may fill or empty a queue in between. So where the kernel's own counters of this CPU
 * can be read (counters.bpf.h), each SYN that comes while a queue is about to be full is followed,
 * and what the kernel has counted between the two programs is what became of it.
 */
#ifndef ACCEPTWATCH_INGRESS_BPF_H
#define ACCEPTWATCH_INGRESS_BPF_H

#define TCP_HEADER_FLAGS 13

/* False: no TCP that could be parsed. */
static __always_inline bool ends_of_ingress(struct __sk_buff *skb, struct aw_endpoints *ends)
{
	__be16 ports[2];
	__u32 tcp;
	__u8 version;

	if (bpf_skb_load_bytes(skb, 0, &version, sizeof(version)))
		return false;
	if (version >> 4 == 4) {
		ends->family = AF_INET;
		tcp = (version & 0xf) * 4;
		if (bpf_skb_load_bytes(skb, IPV4_SOURCE, ends->client_address, 4) ||
		    bpf_skb_load_bytes(skb, IPV4_SOURCE + 4, ends->server_address, 4))
			return false;
	} else {
		ends->family = AF_INET6;
		tcp = IPV6_HEADER_LEN;
		if (bpf_skb_load_bytes(skb, IPV6_SOURCE, ends->client_address, 16) ||
		    bpf_skb_load_bytes(skb, IPV6_SOURCE + 16, ends->server_address, 16))
			return false;
	}
	if (bpf_skb_load_bytes(skb, tcp, ports, sizeof(ports)))
		return false;
	ends->client_port = bpf_ntohs(ports[0]);
	ends->server_port = bpf_ntohs(ports[1]);
	return true;
}

/*
 * The hook shows the listener for a request's packets too: a SYN that comes twice
 * is answered by its request (tcp_check_req), however full the queues are.
 */
static __always_inline bool belongs_to_request(struct __sk_buff *skb,
					       const struct aw_endpoints *ends)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *found;
	bool request;

	if (ends->family == AF_INET) {
		tuple.ipv4.saddr = *(__u32 *)ends->client_address;
		tuple.ipv4.daddr = *(__u32 *)ends->server_address;
		tuple.ipv4.sport = bpf_htons(ends->client_port);
		tuple.ipv4.dport = bpf_htons(ends->server_port);
		found = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, ends->client_address, 16);
		__builtin_memcpy(tuple.ipv6.daddr, ends->server_address, 16);
		tuple.ipv6.sport = bpf_htons(ends->client_port);
		tuple.ipv6.dport = bpf_htons(ends->server_port);
		found = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!found)
		return false;
	request = found->state == TCP_NEW_SYN_RECV;
	bpf_sk_release(found);
	return request;
}

struct aw_prediction {
	enum aw_action action; /* AW_ACTION_NONE: it will answer as always */
	enum aw_reason reason;
	__u8 extra_mib;
};

/* What tcp_conn_request() will do. */
static __always_inline void predict(struct sock *sk, const struct aw_syn_facts *facts,
				    struct aw_prediction *will)
{
	will->reason = aw_syn_drop_reason(facts);
	if (will->reason != AW_REQUEST_FAILED) {
		will->action = AW_LISTEN_DROP;
		/* The others only come where tcp_syncookies is 0. */
		if (will->reason == AW_ACCEPT_QUEUE_FULL)
			will->extra_mib = aw_syn_drop_mib(facts);
		return;
	}
	will->reason = aw_cookie_reason(facts);
	if (will->reason != AW_REASON_NONE)
		will->action = AW_SYNCOOKIE_SENT;
	else if (under_pressure(sk, facts->accept_depth, facts->syn_depth))
		will->action = AW_QUEUE_PRESSURE;
}

/* So many connections may be added by other CPUs before the kernel looks at the queues. */
#define AW_OVERTAKEN 16

static __always_inline bool counters_decide(void)
{
	return aw_config.counter_access != AW_PACKETS_UNREADABLE;
}

/* Whether a SYN for which there is room as yet may find none. */
static __always_inline bool may_be_overtaken(const struct aw_syn_facts *facts)
{
	struct aw_syn_facts soon = *facts;

	if (!counters_decide())
		return false;
	soon.accept_depth += AW_OVERTAKEN;
	soon.syn_depth += AW_OVERTAKEN;
	return aw_syn_drop_reason(&soon) != AW_REQUEST_FAILED ||
	       aw_cookie_reason(&soon) != AW_REASON_NONE;
}

static __always_inline void note_counted_before(struct aw_scratch *s, struct sock *sk)
{
	const enum aw_packet_access access = aw_config.counter_access;
	struct aw_counted *before = &s->before_syn;

	counters_of(s, sk, access);
	before->drops = read_counter(access, s->counters.drops);
	before->overflows = read_counter(access, s->counters.overflows);
	before->cookies_decided = read_counter(access, s->counters.syn_floods);
	before->syn_queue_drops = read_counter(access, s->counters.syn_floods + sizeof(__u64));
}

/*
 * Of a SYN that was dropped: false: for another reason than those that this hook shows. Of the
 * quarter that the kernel reserves without cookies there is no counter.
 */
static __always_inline bool describe_counted_drop(struct aw_scratch *s, struct aw_event *e)
{
	const __u64 syn_queue_drops = s->counters.syn_floods + sizeof(__u64);

	if (take_count(s->counters.overflows, &s->before_syn.overflows)) {
		s->overflows = s->before_syn.overflows; /* as take_overflow() */
		e->reason = AW_ACCEPT_QUEUE_FULL;
	} else if (take_count(syn_queue_drops, &s->before_syn.syn_queue_drops)) {
		e->reason = AW_SYN_QUEUE_FULL;
	} else if (e->action != AW_LISTEN_DROP || e->reason != AW_SYN_BACKLOG_RESERVED) {
		return false;
	}
	e->action = AW_LISTEN_DROP;
	return true;
}

/* What became of the SYN, as the kernel has counted it. False: nothing of it is to be told. */
static __always_inline bool describe_counted(struct aw_event *e)
{
	struct aw_scratch *s = scratch();
	bool cookie;

	if (!s)
		return false;
	cookie = take_count(s->counters.syn_floods, &s->before_syn.cookies_decided);
	e->extra_mib = 0;
	if (take_count(s->counters.drops, &s->before_syn.drops)) {
		e->extra_mib = cookie ? AW_MIB_REQQFULLDOCOOKIES : 0;
		return describe_counted_drop(s, e);
	}
	if (!cookie)
		return e->action == AW_QUEUE_PRESSURE;
	e->action = AW_SYNCOOKIE_SENT;
	e->reason = s->always_cookies ? AW_ALWAYS : AW_SYN_QUEUE_FULL;
	return true;
}

static __always_inline void await_end(struct __sk_buff *skb, struct sock *sk,
				      const struct aw_syn_facts *facts, const struct aw_event *e)
{
	struct aw_pending_syn *syn = pending_syn();
	struct aw_scratch *s = scratch();

	if (!syn || !s)
		return;
	/*
	 * Somebody else still holds the one before: it was not freed. (Where counters decide,
	 * tell_unconfirmed() has told of it.)
	 */
	if (syn->skb)
		report(&syn->event);
	if (counters_decide()) {
		note_counted_before(s, sk);
		s->always_cookies = facts->syncookies == 2;
	}
	syn->skb = (__u64)skb;
	syn->sk = (__u64)sk;
	syn->event = *e;
}

/*
 * A SYN of which nobody said that it was freed: somebody still holds it, or the kernel skipped that
 * program, which interrupted itself (__bpf_trace_run()). Whatever moves these counters on this CPU
 * comes by the packet hook first, so until the next packet they tell what became of it.
 */
static __always_inline void tell_unconfirmed(void)
{
	struct aw_pending_syn *syn = pending_syn();

	if (!syn || !syn->skb)
		return;
	syn->skb = 0;
	if (describe_counted(&syn->event))
		report(&syn->event);
}

/*
 * A SYN that takes over a TIME_WAIT connection is not asked about the SYN queue,
 * and an accept() elsewhere may have made room: then it became a request.
 */
static __always_inline bool became_request(const struct aw_pending_syn *syn)
{
	const __u32 qlen =
		bpf_core_field_offset(struct tcp_sock, inet_conn.icsk_accept_queue.qlen.counter);

	return aw_config.packet_access != AW_PACKETS_UNREADABLE &&
	       read_raw_u32(syn->sk + qlen) > syn->event.listener.syn_depth;
}

static __always_inline void on_consume_skb(struct sk_buff *skb)
{
	struct aw_pending_syn *syn = pending_syn();

	if (!syn || syn->skb != (__u64)skb)
		return;
	syn->skb = 0;
	if (counters_decide() ? describe_counted(&syn->event)
			      : syn->event.action == AW_QUEUE_PRESSURE || !became_request(syn))
		report(&syn->event);
}

/* Where counters decide, they say so themselves: they have not moved for it. */
static __always_inline void on_refused_skb(struct sk_buff *skb)
{
	struct aw_pending_syn *syn = pending_syn();

	if (!syn || syn->skb != (__u64)skb)
		return;
	if (counters_decide())
		tell_unconfirmed();
	else
		syn->skb = 0;
}

/*
 * tcp_v4_rcv() and tcp_v6_rcv() have made sure that both headers are in the linear part of the
 * packet, so they are read without a helper. Half of the packets of a healthy listener are SYNs,
 * the others are the last ACKs of their handshakes.
 */
static __always_inline bool is_syn(struct __sk_buff *skb)
{
	const __u8 mask = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST | TCP_FLAG_FIN;
	const __u8 *ip = (const __u8 *)(long)skb->data;
	const __u8 *end = (const __u8 *)(long)skb->data_end;
	const __u8 *tcp;

	if (ip + 1 > end)
		return false;
	tcp = ip + (*ip >> 4 == 4 ? (*ip & 0xf) * 4 : IPV6_HEADER_LEN);
	if (tcp + TCP_HEADER_FLAGS + 1 > end)
		return false;
	return (tcp[TCP_HEADER_FLAGS] & mask) == TCP_FLAG_SYN;
}

/* For dropped_since_ingress(), which asks for a packet that is reset. */
static __always_inline void note_drops(struct __sk_buff *skb, struct sock *sk)
{
	struct aw_scratch *s = scratch();

	if (!s)
		return;
	s->ingress_skb = (__u64)skb;
	s->ingress_drops = (__u32)READ(sk, sk_drops.counter);
}

/* False: nothing of it is to be told. */
static __always_inline bool describe_predicted(struct __sk_buff *skb, struct sock *sk,
					       const struct aw_syn_facts *facts,
					       const struct aw_prediction *will, struct aw_event *e)
{
	e->header.source = AW_SOURCE_TRACEPOINT; /* in tier fentry, too */
	e->action = will->action;
	e->reason = will->reason;
	e->extra_mib = will->extra_mib;
	e->stage = AW_STAGE_SYN;
	if (!ends_of_ingress(skb, &e->ends))
		return false;
	/* Without a request there is none to be found, and a lookup is nearly half of all this. */
	if (facts->syn_depth && belongs_to_request(skb, &e->ends))
		return false;
	if (e->action == AW_QUEUE_PRESSURE && !pressure_begins(sk, facts)) {
		if (!counters_decide())
			return false;
		e->action = AW_ACTION_NONE;
	}
	e->flags = AW_HAS_ALL_OF_LISTENER | AW_HAS_ENDS;
	describe_listener(sk, facts, e->reason, bpf_get_socket_cookie(skb), &e->listener);
	return true;
}

/* Of a SYN that does not come as always, or may not: the event is not made before that is known. */
static __always_inline void on_predicted(struct __sk_buff *skb, struct sock *sk,
					 const struct aw_syn_facts *facts,
					 const struct aw_prediction *will)
{
	struct aw_event *e = begin_event(AW_DRAFT_OF_INGRESS);

	if (!e)
		return;
	if (describe_predicted(skb, sk, facts, will, e))
		await_end(skb, sk, facts, e);
	end_event(e);
}

static __always_inline void on_listener_syn(struct __sk_buff *skb, struct sock *sk)
{
	struct aw_syn_facts facts = {};
	struct aw_prediction will = {};

	read_syn_facts(sk, &facts);
	predict(sk, &facts, &will);
	if (will.action != AW_ACTION_NONE || may_be_overtaken(&facts))
		on_predicted(skb, sk, &facts, &will);
}

static __always_inline void on_ingress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp;
	bool syn;

	if (!sk || sk->state != TCP_LISTEN)
		return;
	if (counters_decide())
		tell_unconfirmed();
	syn = is_syn(skb);
	if (!syn && resets_have_reasons())
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	if (!resets_have_reasons())
		note_drops(skb, (struct sock *)tp);
	if (syn)
		on_listener_syn(skb, (struct sock *)tp);
}

#endif
