/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RSTs that answer a connection attempt or kill one that waits for accept().
 * All come through tcp:tcp_send_reset; where that is silent without a socket
 * (resets_have_reasons()), tcp_v4_send_reset() itself is hooked.
 */
#ifndef ACCEPTWATCH_RESETS_BPF_H
#define ACCEPTWATCH_RESETS_BPF_H

static __always_inline void note_reset_reason(struct aw_event *e, __u32 reason)
{
	if (!resets_have_reasons())
		return;
	e->reason_space = AW_SK_RST_REASON;
	e->kernel_reason = reason;
}

/* Of a packet that has found no listener. */
static __always_inline void describe_reset_of(struct sk_buff *skb, struct aw_event *e)
{
	e->listener.netns = READ(skb, dev, nd_net.net, ns.inum);
	if (!ends_of_packet(skb, &e->ends))
		return;
	e->flags = AW_HAS_ENDS;
	note_translation(skb, e);
}

/* Only a SYN is an attempt: later packets may belong to any connection that is over. */
static __always_inline bool is_attempt(__u8 flags)
{
	return (flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) == TCP_FLAG_SYN;
}

/* The packet has just found a request without its listener: on_request_without_listener(). */
static __always_inline bool finds_orphan(struct aw_scratch *s, struct sk_buff *skb)
{
	struct aw_endpoints ends = {};
	__u32 ports;

	if (!s->orphan_ports)
		return false;
	ports = s->orphan_ports;
	s->orphan_ports = 0;
	if (!ends_of_packet(skb, &ends))
		return aw_config.packet_access == AW_PACKETS_UNREADABLE;
	return ports == both_ports(ends.client_port, ends.server_port);
}

static __always_inline bool describe_reset_without_socket(struct sk_buff *skb, struct aw_event *e)
{
	struct aw_scratch *s = scratch();
	bool orphan;

	if (!s)
		return false;
	orphan = finds_orphan(s, skb);
	if (is_attempt(tcp_flags_of(skb))) {
		e->reason = AW_NO_LISTENER;
		e->stage = AW_STAGE_SYN;
	} else if (orphan) {
		e->reason = AW_CLOSED_LISTENER;
		e->stage = AW_STAGE_ACK;
		e->extra_mib = s->orphan_mib;
	} else {
		return false;
	}
	describe_reset_of(skb, e);
	return true;
}

/*
 * A connection that this end has closed and the client has not: tcp_timewait_state_process()
 * resets whoever begins a new one between the same ports (TCP_TW_RST).
 */
static __always_inline bool describe_reset_of_remains(struct sk_buff *skb, struct aw_event *e)
{
	if (!is_attempt(tcp_flags_of(skb)))
		return false;
	e->reason = AW_OTHER;
	e->stage = AW_STAGE_SYN;
	describe_reset_of(skb, e);
	return true;
}

static __always_inline bool overflowed_here(struct sk_buff *skb)
{
	struct aw_scratch *s = scratch();
	bool same = s && s->overflow_skb == (__u64)skb;

	if (same)
		s->overflow_skb = 0;
	return same;
}

/*
 * With tracepoints only, and no reason in them: the packet hook noted sk_drops, which
 * tcp_v4_syn_recv_sock() has raised by now if the queue was the cause.
 */
static __always_inline bool dropped_since_ingress(struct sock *sk, struct sk_buff *skb)
{
	struct aw_scratch *s = scratch();

	return s && s->ingress_skb == (__u64)skb &&
	       s->ingress_drops != (__u32)READ(sk, sk_drops.counter);
}

/*
 * tcp_check_req() falls from listen_overflow through to embryonic_reset, so the
 * kernel's own reason for the RST of tcp_abort_on_overflow reads INVALID_SYN or is
 * none. The ACK that has just found the queue full on this CPU tells; where
 * ack_stage.bpf.h is not there to note it, the queue does.
 */
static __always_inline bool reset_by_overflow(struct sock *sk, struct sk_buff *skb,
					      const struct aw_syn_facts *facts, __u32 reason)
{
	if (aw_config.syn_recv_sock_args)
		return overflowed_here(skb);
	if (!is_overflow(sk, aw_accept_queue_full(facts->accept_depth, facts->accept_limit)))
		return false;
	if (!resets_have_reasons())
		return dropped_since_ingress(sk, skb);
	if (!says_invalid_syn(reason))
		return false;
	return aborts_on_overflow(sk) &&
	       (tcp_flags_of(skb) & (TCP_FLAG_ACK | TCP_FLAG_SYN)) == TCP_FLAG_ACK;
}

/*
 * An ACK that belongs to no request was looked at as a cookie if the listener has
 * sent one lately: tcp_synq_no_recent_overflow(). It was none, or too old.
 */
static __always_inline bool was_checked_as_cookie(struct sock *sk, __u8 flags)
{
	const __u32 period = 60 * aw_config.hz; /* TCP_SYNCOOKIE_PERIOD */
	struct sock_reuseport *group = READ(sk, sk_reuseport_cb);
	struct tcp_sock *tp = tcp_sock_of(sk);
	__u32 overflow;

	if ((flags & (TCP_FLAG_ACK | TCP_FLAG_SYN | TCP_FLAG_RST)) != TCP_FLAG_ACK || !tp ||
	    !READ(sk, __sk_common.skc_net.net, ipv4.sysctl_tcp_syncookies))
		return false;
	overflow = group ? READ(group, synq_overflow_ts) : (__u32)READ(tp, rx_opt.ts_recent_stamp);
	/* It may be stamped a second ahead of what another CPU reads. */
	return (__u32)bpf_jiffies64() - (overflow - aw_config.hz) <= 2 * period + aw_config.hz;
}

/*
 * A SYN out of place ends the request whose window it is in: tcp_check_req(). A listener
 * itself does not answer a bare SYN with a RST.
 */
static __always_inline bool ends_request(__u8 flags, __u32 reason)
{
	if (resets_have_reasons())
		return says_invalid_syn(reason);
	return (flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
}

/* The request that this RST ends is about to be dropped: requests.bpf.h. */
static __always_inline void note_reset_request(struct sock *sk, const struct aw_endpoints *ends)
{
	struct aw_scratch *s = scratch();

	if (!s)
		return;
	s->reset_sk = (__u64)sk;
	s->reset_port = ends->client_port;
}

/* The RST that follows has its own event, of the same packet and listener. */
static __always_inline void report_invalid_cookie(struct aw_event *e)
{
	enum aw_reason reason = e->reason;
	enum aw_stage stage = e->stage;

	e->action = AW_LISTEN_DROP;
	e->reason = AW_COOKIE_INVALID;
	e->stage = AW_STAGE_COOKIE;
	report(e);
	e->action = AW_RESET_SENT;
	e->reason = reason;
	e->stage = stage;
}

static __always_inline void describe_listener_reset(struct sock *sk, struct sk_buff *skb,
						    __u32 reason, struct aw_event *e)
{
	struct aw_syn_facts facts = {};
	__u8 flags = tcp_flags_of(skb);
	bool overflow, join;

	e->reason = AW_HANDSHAKE_INVALID;
	e->stage = AW_STAGE_ACK;
	read_syn_facts(sk, &facts);
	if (ends_of_packet(skb, &e->ends))
		e->flags = AW_HAS_ENDS;
	describe_at(sk, e, &facts);
	overflow = reset_by_overflow(sk, skb, &facts, reason);
	join = flags & TCP_FLAG_SYN && refused_by_mptcp(skb);
	if (overflow)
		e->reason = AW_ABORT_ON_OVERFLOW;
	else if (join)
		e->stage = AW_STAGE_SYN;
	else if (ends_request(flags, reason))
		e->extra_mib = AW_MIB_EMBRYONICRSTS;
	else if (was_checked_as_cookie(sk, flags))
		report_invalid_cookie(e);
	if (overflow || (!join && flags & TCP_FLAG_SYN))
		note_reset_request(sk, &e->ends);
}

/* A child that waits for accept() has no file yet, and is not dead as one is that was closed. */
static __always_inline bool waits_for_accept(struct sock *sk)
{
	return !READ(sk, sk_socket) && !(READ(sk, __sk_common.skc_flags) & (1ul << SOCK_DEAD));
}

/*
 * --all-resets: a connection that was accepted from a listener. Children are made as copies
 * of their listener, sk_clone(), and keep the limit of its accept queue; sockets that
 * connect() have none. Nor have children of listen(fd, 0), which are not told apart.
 */
static __always_inline bool was_accepted(struct sock *sk)
{
	return READ(sk, sk_max_ack_backlog) && !waits_for_accept(sk);
}

/* Of a full socket that is no listener. */
static __always_inline void describe_connection(struct sock *sk, struct aw_event *e)
{
	e->flags = AW_HAS_ENDS;
	ends_of_child(sk, &e->ends);
	e->listener.netns = READ(sk, __sk_common.skc_net.net, ns.inum);
}

/*
 * tcp_reset() also runs where this end is what resets: data have come for a socket that
 * nobody reads any more. Only a connection that its client has ended is shut down for
 * reading all the same.
 */
static __always_inline bool was_reset_by_client(struct sock *sk)
{
	return sock_state(sk) == TCP_CLOSE_WAIT || !(READ(sk, sk_shutdown) & RCV_SHUTDOWN);
}

/*
 * inet_csk_listen_stop() resets each queued child in the thread that closes the
 * listener, just after on_listener_closed() noted it. Such a child never had a file;
 * an accepted socket that the same thread closes has one.
 */
static __always_inline void closed_with_listener(struct aw_event *e)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct aw_closing *closing;

	if (!aw_resets_children)
		return;
	closing = bpf_map_lookup_elem(&aw_closing, &thread);
	if (!closing || !closing->children || e->ends.server_port != closing->listener.port)
		return;
	e->reason = AW_CLOSED_LISTENER;
	e->stage = AW_STAGE_CLOSED;
	e->flags |= AW_HAS_ALL_OF_LISTENER;
	e->extra_mib = closing->extra_mib;
	e->listener = closing->listener;
	if (!--closing->children)
		bpf_map_delete_elem(&aw_closing, &thread);
}

static __always_inline void on_reset_received(struct sock *sk, bool queued)
{
	struct aw_event e = { .action = AW_RESET_RECEIVED };

	e.reason = queued ? AW_WHEN_QUEUED : AW_WHEN_ACCEPTED;
	e.stage = queued ? AW_STAGE_QUEUED : AW_STAGE_NONE;
	describe_connection(sk, &e);
	report(&e);
}

/* tcp:tcp_receive_reset, of full sockets. Most are of no interest: no event is made before. */
static __always_inline void on_receive_reset(struct sock *sk)
{
	bool queued = waits_for_accept(sk);

	if (!queued && !(aw_config.all_resets && was_accepted(sk) && was_reset_by_client(sk)))
		return;
	if (aw_active)
		on_reset_received(sk, queued);
}

/* Most that are reset were accepted: no event is made before that is known. */
static __always_inline bool is_of_interest(struct sock *sk)
{
	__u8 state = sock_state(sk);

	if (state == TCP_LISTEN || state == TCP_TIME_WAIT)
		return true;
	return state != TCP_NEW_SYN_RECV &&
	       (waits_for_accept(sk) || (aw_config.all_resets && was_accepted(sk)));
}

/*
 * A child that was made while another CPU closed its listener: inet_csk_reqsk_queue_add() finds no
 * listener any more, and inet_child_forget() disconnects it, which sets its state before the RST
 * is sent. What resets a connection for another reason sends the RST first.
 */
static __always_inline bool was_refused_by_closing(struct sock *sk)
{
	return sock_state(sk) == TCP_CLOSE;
}

/*
 * A connection's own: of one that waits for accept(), with its listener or because it was
 * given up (keepalive, user time-out, `ss -K`).
 */
static __always_inline bool describe_connection_reset(struct sock *sk, struct aw_event *e)
{
	bool queued = waits_for_accept(sk);

	/* Which of them it was, nobody knows then. */
	if (queued && aw_config.misses_closes)
		return false;
	e->reason = queued ? AW_OTHER : AW_WHEN_ACCEPTED;
	e->stage = queued ? AW_STAGE_QUEUED : AW_STAGE_NONE;
	describe_connection(sk, e);
	if (!queued)
		return true;
	closed_with_listener(e);
	if (e->reason == AW_OTHER && was_refused_by_closing(sk)) {
		e->reason = AW_CLOSED_LISTENER;
		e->stage = AW_STAGE_ACK;
	}
	return true;
}

/* The packet is what is answered, if there is one. */
static __always_inline bool describe_reset(struct sock *sk, struct sk_buff *skb, __u32 reason,
					   struct aw_event *e)
{
	if (known_null(sk) || !sk)
		return !known_null(skb) && skb && describe_reset_without_socket(skb, e);
	if (known_null(skb) || !skb)
		return describe_connection_reset(sk, e);
	else if (sock_state(sk) == TCP_LISTEN)
		describe_listener_reset(sk, skb, reason, e);
	else if (sock_state(sk) == TCP_TIME_WAIT)
		return describe_reset_of_remains(skb, e);
	else
		return describe_connection_reset(sk, e);
	return true;
}

/* tcp:tcp_send_reset. `ctx`: all its arguments. */
static __always_inline void on_send_reset(struct sock *sk, struct sk_buff *skb,
					  unsigned long long *ctx)
{
	struct aw_event *e;
	__u32 reason;

	if (!known_null(sk) && sk && !is_of_interest(sk))
		return;
	if (!aw_active)
		return;
	e = begin_event(AW_DRAFT_OF_SEND_RESET);
	if (!e)
		return;
	e->action = AW_RESET_SENT;
	reason = reset_reason(ctx);
	if (describe_reset(sk, skb, reason, e)) {
		note_reset_reason(e, reason);
		report(e);
	}
	end_event(e);
}

/* tcp_v4_send_reset() and its twin, where tcp:tcp_send_reset tells only of full sockets. */
static __always_inline void on_reset_of_no_listener(struct sock *sk, struct sk_buff *skb)
{
	struct aw_event e = { .action = AW_RESET_SENT };
	bool told;

	if (!sk)
		told = describe_reset_without_socket(skb, &e);
	else
		told = sock_state(sk) == TCP_TIME_WAIT && describe_reset_of_remains(skb, &e);
	if (told)
		report(&e);
}

#endif
