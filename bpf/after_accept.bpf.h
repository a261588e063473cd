/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --after-accept: connections that their owner closes within a moment of accept(), and has not
 * served: without having read what the client sent, by a RST, or because its process failed.
 *
 * When a connection was accepted, the exit of inet_csk_accept() notes; where accept() is not seen,
 * the end of its handshake counts, so that one that waits long in the accept queue is not told.
 */
#ifndef ACCEPTWATCH_AFTER_ACCEPT_BPF_H
#define ACCEPTWATCH_AFTER_ACCEPT_BPF_H

struct aw_accepted {
	__u64 sk;     /* 0: the place is free */
	__u64 ns;     /* CLOCK_MONOTONIC */
	__u64 number; /* of those that were accepted on its port */
};

/* A socket has four places where it may be. */
#define AW_PLACES 4
#define AW_PLACES_BITS 14
struct aw_accepted_places {
	struct aw_accepted at[AW_PLACES];
};

/*
 * Connections that were accepted lately, by the hash of their addresses and ports that the kernel
 * finds them by, which a client cannot choose: 1.5 MiB. Whoever closes one
 * frees its place; the oldest gives its own up. Where that is not a moment old, aw_unfollowed
 * counts it. (Two CPUs that choose the same place at the same time are not noticed: then one of
 * both connections is not followed.)
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << AW_PLACES_BITS);
	__type(key, __u32);
	__type(value, struct aw_accepted_places);
} aw_accepted_lately SEC(".maps");

/*
 * How many were accepted on a port. Two ports that share a place take it from each other, and begin
 * anew: a hash table would take as long as all else here.
 */
struct aw_accepted_count {
	struct aw_place place;
	__u64 count;
};

#define AW_COUNTS_BITS 12

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << AW_COUNTS_BITS);
	__type(key, __u32);
	__type(value, struct aw_accepted_count);
} aw_accepted_counts SEC(".maps");

static __always_inline struct aw_accepted_places *accepted_places(struct sock *sk)
{
	__u32 number = READ(sk, __sk_common.skc_hash) & ((1 << AW_PLACES_BITS) - 1);

	return bpf_map_lookup_elem(&aw_accepted_lately, &number);
}

/* 0: not known. */
static __always_inline __u64 count_accepted(struct sock *child)
{
	__u32 netns = READ(child, __sk_common.skc_net.net, ns.inum);
	__u16 port = READ(child, __sk_common.skc_num);
	__u32 number = (netns * 31 + port) & ((1 << AW_COUNTS_BITS) - 1);
	struct aw_accepted_count *here = bpf_map_lookup_elem(&aw_accepted_counts, &number);

	if (!here)
		return 0;
	if (here->place.netns != netns || here->place.port != port) {
		here->place.netns = netns;
		here->place.port = port;
		here->count = 0;
	}
	__sync_fetch_and_add(&here->count, 1);
	/* What was there before, an atomic operation tells since 5.12: two CPUs may read the same.
	 */
	return *(volatile __u64 *)&here->count;
}

static __always_inline void note_accepted(struct sock *child)
{
	struct aw_accepted_places *places = accepted_places(child);
	__u64 number = count_accepted(child);
	__u64 now = bpf_ktime_get_ns();
	struct aw_accepted *place;

	if (!places)
		return;
	place = &places->at[0];
#pragma unroll
	for (int i = 0; i < AW_PLACES; i++) {
		struct aw_accepted *other = &places->at[i];

		/* One that was freed has no time: it is the oldest. */
		if (other->sk == (__u64)child || other->ns < place->ns)
			place = other;
		if (place->sk == (__u64)child)
			break;
	}
	if (place->sk && place->sk != (__u64)child && now - place->ns < AW_MOMENT_NS)
		__sync_fetch_and_add(&aw_unfollowed, 1);
	place->sk = (__u64)child;
	place->ns = now;
	place->number = number;
}

/* Its place is free then. False: it was not accepted, or long ago. */
static __always_inline bool take_accepted(struct sock *sk, struct aw_accepted *accepted)
{
	struct aw_accepted_places *places = accepted_places(sk);
	bool found = false;

	if (!places)
		return false;
#pragma unroll
	for (int i = 0; i < AW_PLACES; i++) {
		struct aw_accepted *place = &places->at[i];

		if (place->sk != (__u64)sk)
			continue;
		*accepted = *place;
		place->sk = 0;
		place->ns = 0;
		found = true;
	}
	return found;
}

/* include/net/sock.h: RCV_SHUTDOWN | SEND_SHUTDOWN */
#define SHUTDOWN_BOTH 3

/*
 * By close(), or shutdown() of both ways: each sets sk_shutdown before the state changes, while
 * tcp_reset() and timers do so after it. Below an MPTCP socket it is not the user who closes. A
 * connection that waits for accept() has no struct socket.
 */
static __always_inline bool closed_by_owner(struct sock *sk)
{
	return (READ(sk, sk_shutdown) & SHUTDOWN_BOTH) == SHUTDOWN_BOTH &&
	       READ(sk, sk_protocol) == IPPROTO_TCP && READ(sk, sk_socket, sk) == sk;
}

static __always_inline __u32 at_most_u32(__u64 value)
{
	return value > ~0u ? ~0u : value;
}

/*
 * The receive queue is empty by now, but copied_seq stands where reading stopped. A FIN takes a
 * number, and counts as a byte that was received.
 */
static __always_inline void read_close_facts(struct sock *sk, struct tcp_sock *tp, bool reset,
					     bool client_ended, struct aw_close_facts *f)
{
	__u32 pending = READ(tp, rcv_nxt) - READ(tp, copied_seq);
	__u32 unacked = READ(tp, write_seq) - READ(tp, snd_una);

	f->read = at_most_u32(READ(tp, bytes_received) - pending);
	f->unread = pending - (client_ended && pending);
	f->sent = at_most_u32(READ(tp, bytes_acked) + unacked);
	f->reset = reset;
	f->client_ended = client_ended;
}

/* False: it is as a server closes that has served. */
static __always_inline bool describe_early_close(struct sock *sk, __u32 old_state, __u32 new_state,
						 struct aw_event *e)
{
	struct tcp_sock *tp = tcp_sock_of(sk);
	struct aw_close_facts facts = {};
	struct aw_ending ending = {};

	if (!tp)
		return false;
	read_close_facts(sk, tp, new_state == TCP_CLOSE, old_state == TCP_CLOSE_WAIT, &facts);
	if (read_ending(&ending) && ending.flags & PF_EXITING) {
		e->exit_code = ending.exit_code;
		facts.process_failed = ending.exit_code != 0;
	}
	e->reason = aw_close_reason(&facts);
	if (e->reason == AW_REASON_NONE)
		return false;
	e->action = AW_CLOSED_AFTER_ACCEPT;
	e->bytes_read = facts.read;
	e->bytes_unread = facts.unread;
	e->bytes_sent = facts.sent;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	current_process_name(e->comm);
	describe_connection(sk, e);
	if (aw_config.accept_args)
		e->flags |= AW_SINCE_ACCEPT;
	return true;
}

/* sock:inet_sock_set_state, which fires five times a connection. */
static __always_inline void on_state_after_accept(struct sock *sk, __u32 old_state, __u32 new_state)
{
	struct aw_accepted accepted = {};
	struct aw_event *e;
	__u64 age;

	if (old_state == TCP_SYN_RECV) {
		if (new_state == TCP_ESTABLISHED && !aw_config.accept_args)
			note_accepted(sk);
		return;
	}
	if ((old_state != TCP_ESTABLISHED && old_state != TCP_CLOSE_WAIT) ||
	    new_state == TCP_CLOSE_WAIT)
		return;
	if (!take_accepted(sk, &accepted))
		return;
	age = bpf_ktime_get_ns() - accepted.ns;
	if (age >= AW_MOMENT_NS || !closed_by_owner(sk))
		return;
	e = begin_event(AW_DRAFT_OF_AFTER_ACCEPT);
	if (!e)
		return;
	e->age_us = age / 1000;
	e->number = accepted.number;
	if (describe_early_close(sk, old_state, new_state, e))
		report(e);
	end_event(e);
}

#endif
