/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decisions of the kernel's listen path, as pure functions of the numbers
 * it decides by. Compiled into the BPF programs and, unchanged, into the unit
 * tests.
 */
#ifndef ACCEPTWATCH_DECIDE_H
#define ACCEPTWATCH_DECIDE_H

#include "acceptwatch/record.h"

/* What tcp_conn_request() looks at before it makes a request socket. */
struct aw_syn_facts {
	__u32 accept_depth;
	__u32 accept_limit; /* sk_max_ack_backlog: the limit of both queues */
	__u32 syn_depth;
	__u32 max_syn_backlog;	/* net.ipv4.tcp_max_syn_backlog */
	__u8 syncookies;	/* net.ipv4.tcp_syncookies: 0, 1, 2 */
	__u8 syn_full_at_limit; /* full at the limit, or above it: aw_syn_queue_full() */
};

/* sk_acceptq_is_full(): a queue of limit N holds N + 1. */
static inline int aw_accept_queue_full(__u32 depth, __u32 limit)
{
	return depth > limit;
}

/* Any server has one or two connections waiting now and then. */
#define AW_LEAST_PRESSURE 3

/* A queue of this depth is about to be full. */
static inline int aw_under_pressure(__u32 depth, __u32 limit, __u32 percent)
{
	const __u64 used = depth, most = limit;

	return depth >= AW_LEAST_PRESSURE && used * 100 >= most * percent;
}

/*
 * inet_csk_reqsk_queue_is_full(): `>` instead of `>=` since 3479c7549fb1 ("tcp/dccp: allow a
 * connection when sk_max_ack_backlog is zero", 6.14, backported).
 */
static inline int aw_syn_queue_full(const struct aw_syn_facts *f)
{
	return f->syn_full_at_limit ? f->syn_depth >= f->accept_limit
				    : f->syn_depth > f->accept_limit;
}

/*
 * Without cookies the last quarter of tcp_max_syn_backlog is kept for clients
 * that tcp_metrics has seen before. Signed, as in the kernel: the depth may be
 * above the limit.
 */
static inline int aw_syn_backlog_reserved(const struct aw_syn_facts *f)
{
	const __s64 max = f->max_syn_backlog;
	const __s64 depth = f->syn_depth;

	return !f->syncookies && max - depth < (max >> 2);
}

/*
 * Why a SYN was not answered, in the order in which tcp_conn_request() asks.
 * AW_REQUEST_FAILED: no queue is the cause (memory, route, a security module).
 */
static inline enum aw_reason aw_syn_drop_reason(const struct aw_syn_facts *f)
{
	if (!f->syncookies && aw_syn_queue_full(f))
		return AW_SYN_QUEUE_FULL;
	if (aw_accept_queue_full(f->accept_depth, f->accept_limit))
		return AW_ACCEPT_QUEUE_FULL;
	if (aw_syn_backlog_reserved(f))
		return AW_SYN_BACKLOG_RESERVED;
	return AW_REQUEST_FAILED;
}

/* Why a SYN is answered with a cookie; AW_REASON_NONE: it is not. */
static inline enum aw_reason aw_cookie_reason(const struct aw_syn_facts *f)
{
	if (f->syncookies == 2)
		return AW_ALWAYS;
	if (f->syncookies && aw_syn_queue_full(f))
		return AW_SYN_QUEUE_FULL;
	return AW_REASON_NONE;
}

/*
 * tcp_syn_flood_action() decides on a cookie, and counts it, before anything else can be the
 * reason to drop the SYN. (Asking first whether there are cookies at all spares
 * the verifier paths.)
 */
static inline __u8 aw_syn_drop_mib(const struct aw_syn_facts *f)
{
	if (!f->syncookies)
		return 0;
	return aw_cookie_reason(f) != AW_REASON_NONE ? AW_MIB_REQQFULLDOCOOKIES : 0;
}

/*
 * Why the last ACK of a handshake made no child. The depth is read just after
 * the kernel's own test, and an accept() on another CPU may have taken one
 * connection in between: exactly full still means that the queue was the cause, unless
 * something else is known (ack_stage.bpf.h).
 */
static inline enum aw_reason aw_ack_drop_reason(__u32 depth, __u32 limit)
{
	return depth >= limit ? AW_ACCEPT_QUEUE_FULL : AW_REQUEST_FAILED;
}

/*
 * The limit that the SYN queue's depth is held against: listen()'s backlog as
 * capped by somaxconn, not tcp_max_syn_backlog; only without cookies does the
 * latter matter, by the quarter that it reserves.
 */
static inline __u32 aw_syn_queue_limit(const struct aw_syn_facts *f, enum aw_reason reason)
{
	__u32 unreserved = f->max_syn_backlog - (f->max_syn_backlog >> 2);

	if (reason == AW_SYN_QUEUE_FULL || f->syncookies)
		return f->accept_limit;
	if (reason == AW_SYN_BACKLOG_RESERVED || unreserved < f->accept_limit)
		return unreserved;
	return f->accept_limit;
}

/*
 * Why a SYN-ACK is sent again. `acked` is what tcp_check_req() notes when the
 * client's ACK came but was not used: a full queue, or TCP_DEFER_ACCEPT.
 */
static inline enum aw_reason aw_retransmit_reason(int acked, int defers, int accept_full)
{
	if (!acked)
		return AW_NO_ACK;
	return defers && !accept_full ? AW_DEFERRED : AW_ACK_DROPPED;
}

/* A close that comes so soon after accept() is told: closed_after_accept. */
#define AW_MOMENT_NS 1000000000ull

/* How the owner of a connection that was accepted closed it. */
struct aw_close_facts {
	__u32 read;	     /* bytes of the client's that it had read */
	__u32 unread;	     /* bytes that had come, and that it had not */
	__u32 sent;	     /* bytes that it had written */
	__u8 reset;	     /* the kernel sends a RST, not a FIN */
	__u8 client_ended;   /* the client had sent its FIN before */
	__u8 process_failed; /* the process that held it ended, and not with exit status 0 */
};

/*
 * AW_REASON_NONE: as a server closes that has served. Data that are not read make __tcp_close()
 * send a RST; so does SO_LINGER with 0, by tcp_disconnect(). Who has read, and closes in good
 * order, has mostly served; that the process failed is the one sign that it may not have. Who
 * writes first and closes may be a service that does no more (daytime), or one that turns its
 * client away with a sentence.
 */
static inline enum aw_reason aw_close_reason(const struct aw_close_facts *f)
{
	if (f->client_ended)
		return f->reset && f->unread ? AW_UNREAD : AW_REASON_NONE;
	if (f->reset)
		return f->unread ? AW_UNREAD : AW_RESET;
	if (!f->read)
		return f->sent ? AW_TURNED_AWAY : AW_UNSERVED;
	return f->process_failed ? AW_PROCESS_FAILED : AW_REASON_NONE;
}

#endif /* ACCEPTWATCH_DECIDE_H */
