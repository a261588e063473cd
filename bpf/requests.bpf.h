/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a request in SYN_RECV without a connection: its client resets it, an
 * ICMP error does, or the kernel gives it up after the last SYN-ACK.
 */
#ifndef ACCEPTWATCH_REQUESTS_BPF_H
#define ACCEPTWATCH_REQUESTS_BPF_H

/*
 * tcp_req_err(): an ICMP error ends the request if its sequence number is the
 * SYN-ACK's. Where dropped requests are hooked, that shows there.
 */
static __always_inline void on_icmp_error(struct request_sock *req, __u32 seq, bool abort)
{
	struct tcp_request_sock *treq = tcp_request_of(req);
	struct aw_event e = {
		.action = AW_LISTEN_DROP,
		.reason = AW_REQUEST_FAILED,
		.stage = AW_STAGE_ACK,
	};
	struct sock *sk = listener_of(req);
	struct aw_syn_facts facts = {};
	struct aw_scratch *s = scratch();

	if (!s || !abort)
		return;
	if (aw_config.sees_dropped_requests) {
		s->icmp_req = (__u64)req;
		return;
	}
	if (!treq || READ(treq, snt_isn) != seq || !sk || sock_state(sk) != TCP_LISTEN)
		return;
	read_syn_facts(sk, &facts);
	describe_request(sk, req, &e, &facts);
	report(&e);
}

/*
 * inet_csk_reqsk_queue_drop(): from tcp_check_req(), for a RST of the client or just
 * after one to it was sent, and from tcp_req_err(). A request whose listener is
 * closed comes here too, with its next packet.
 */
static __always_inline void on_request_dropped(struct sock *sk, struct request_sock *req)
{
	struct aw_event e = {
		.action = AW_RESET_RECEIVED,
		.reason = AW_IN_HANDSHAKE,
		.stage = AW_STAGE_ACK,
	};
	struct aw_syn_facts facts = {};
	struct aw_scratch *s = scratch();

	if (!s || sock_state(sk) != TCP_LISTEN)
		return;
	if (s->reset_sk == (__u64)sk) {
		s->reset_sk = 0;
		/* Port 0: the packet could not be read. */
		if (!s->reset_port || s->reset_port == bpf_ntohs(READ(req, __req_common.skc_dport)))
			return;
	}
	if (s->icmp_req == (__u64)req) {
		s->icmp_req = 0;
		e.action = AW_LISTEN_DROP;
		e.reason = AW_REQUEST_FAILED;
	}
	read_syn_facts(sk, &facts);
	report_request(sk, req, &e, &facts);
}

#ifndef AW_PROBE_READS
/*
 * __inet_csk_reqsk_queue_drop() from the timer, where listener_of() knows none. The function that
 * says so came with e8c526f2bdf1 ("tcp/dccp: Don't use timer_pending() in reqsk_queue_unlink()",
 * 6.12, backported to 6.1).
 */
static __always_inline void on_request_expired(struct sock *sk, struct request_sock *req)
{
	struct aw_event e = { .action = AW_HANDSHAKE_EXPIRED, .stage = AW_STAGE_SYN };
	struct aw_syn_facts facts = {};

	/* Lost with its listener, as listener_closed has said. */
	if (sock_state(sk) != TCP_LISTEN)
		return;
	read_syn_facts(sk, &facts);
	e.reason = unfinished_reason(sk, req, &facts);
	report_request(sk, req, &e, &facts);
}
#endif

/*
 * tcp_syn_ack_timeout(): the request's timer has run out and its listener is alive.
 * What the timer makes of it shows when its handler returns, but then the request
 * may be gone.
 */
static __always_inline void on_request_timeout(struct request_sock *req)
{
	struct aw_event e = { .action = AW_HANDSHAKE_EXPIRED, .stage = AW_STAGE_SYN };
	struct tcp_request_sock *treq = tcp_request_of(req);
	struct sock *sk = listener_of(req);
	struct aw_expiring_request *expiring = expiring_request();
	struct aw_syn_facts facts = {};

	/* With Fast Open it is the child's timer that calls: tcp_fastopen_synack_timer(). */
	if (treq && READ(treq, tfo_listener))
		return;
	if (!expiring || !sk || sock_state(sk) != TCP_LISTEN)
		return;
	read_syn_facts(sk, &facts);
	e.reason = unfinished_reason(sk, req, &facts);
	describe_request(sk, req, &e, &facts);
	expiring->req = (__u64)req;
	expiring->event = e;
}

/*
 * A request that the timer's handler keeps has its timer set again. One that it has dropped may
 * be another client's by now, in the same memory.
 */
static __always_inline bool was_kept(const struct aw_expiring_request *expiring)
{
	struct request_sock *req = request_at(expiring->req);

	return req &&
	       READ(req, __req_common.skc_dport) == bpf_htons(expiring->event.ends.client_port) &&
	       READ(req, rsk_timer.entry.pprev);
}

/* reqsk_timer_handler() returns. */
static __always_inline void on_request_timer_end(void)
{
	struct aw_expiring_request *expiring = expiring_request();
	bool kept;

	if (!expiring || !expiring->req)
		return;
	kept = was_kept(expiring);
	expiring->req = 0;
	if (!kept)
		report(&expiring->event);
}

#endif
