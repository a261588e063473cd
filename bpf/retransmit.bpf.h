/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A SYN-ACK sent again, by the request's timer or because the SYN came twice.
 */
#ifndef ACCEPTWATCH_RETRANSMIT_BPF_H
#define ACCEPTWATCH_RETRANSMIT_BPF_H

/* Why a request has not become a connection yet. */
static __always_inline enum aw_reason unfinished_reason(struct sock *sk, struct request_sock *req,
							const struct aw_syn_facts *facts)
{
	return aw_retransmit_reason(request_acked(req), defers_accept(sk),
				    aw_accept_queue_full(facts->accept_depth, facts->accept_limit));
}

static __always_inline void on_retransmit_synack(struct sock *sk, struct request_sock *req)
{
	struct aw_event e = {
		.action = AW_SYNACK_RETRANSMIT,
		.stage = AW_STAGE_SYN,
	};
	struct aw_syn_facts facts = {};

	/* num_retrans is incremented after the tracepoint, inet_rtx_syn_ack(). */
	e.retry = READ(req, num_retrans) + 1;
	if (sock_state(sk) != TCP_LISTEN) {
		/* Fast Open: sk is the child, the listener is out of reach. */
		e.reason = AW_NO_ACK;
		ends_of_request(req, &e.ends);
		e.flags = AW_HAS_ENDS;
		e.listener.netns = READ(sk, __sk_common.skc_net.net, ns.inum);
		report(&e);
		return;
	}
	read_syn_facts(sk, &facts);
	e.reason = unfinished_reason(sk, req, &facts);
	report_request(sk, req, &e, &facts);
}

#endif
