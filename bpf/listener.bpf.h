/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A listener and its two queues, read at the instant of an event.
 */
#ifndef ACCEPTWATCH_LISTENER_BPF_H
#define ACCEPTWATCH_LISTENER_BPF_H

static __always_inline __u8 sock_state(struct sock *sk)
{
	return READ(sk, __sk_common.skc_state);
}

static __always_inline __u32 syn_queue_depth(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sock_of(sk);

	return tp ? READ(tp, inet_conn.icsk_accept_queue.qlen.counter) : 0;
}

static __always_inline bool defers_accept(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sock_of(sk);

	return tp && READ(tp, inet_conn.icsk_accept_queue.rskq_defer_accept);
}

static __always_inline bool aborts_on_overflow(struct sock *sk)
{
	return READ(sk, __sk_common.skc_net.net, ipv4.sysctl_tcp_abort_on_overflow);
}

static __always_inline void read_syn_facts(struct sock *sk, struct aw_syn_facts *f)
{
	struct net *net = READ(sk, __sk_common.skc_net.net);

	f->accept_depth = READ(sk, sk_ack_backlog);
	f->accept_limit = READ(sk, sk_max_ack_backlog);
	f->syn_depth = syn_queue_depth(sk);
	f->max_syn_backlog = READ(net, ipv4.sysctl_max_syn_backlog);
	f->syncookies = READ(net, ipv4.sysctl_tcp_syncookies);
	f->syn_full_at_limit = aw_config.syn_full_at_limit;
}

/*
 * Below an MPTCP listener is a TCP one that the kernel owns: without a file, but
 * with the inode number of the user's own, which mptcp_subflow_create_socket()
 * copies. It is next to the struct socket.
 */
static __always_inline __u64 inode_beside(struct socket *socket)
{
	const __u64 at = (__u64)socket + bpf_core_field_offset(struct socket_alloc, vfs_inode) +
			 bpf_core_field_offset(struct inode, i_ino);

	if (!socket || aw_config.packet_access == AW_PACKETS_UNREADABLE)
		return 0;
	return read_raw_u32(at) | (__u64)read_raw_u32(at + 4) << 32;
}

/* The socket's inode number, which /proc/PID/fd and ss show too; 0: there is none to be read. */
static __always_inline __u64 listener_inode(struct sock *sk)
{
	__u64 inode = READ(sk, sk_socket, file, f_inode, i_ino);

	return inode ? inode : inode_beside(READ(sk, sk_socket));
}

static __always_inline __u64 listener_id(struct sock *sk)
{
	__u64 inode = listener_inode(sk);

	return inode ? inode : (__u64)sk;
}

/* The port in inet_sport outlives the unbinding of a closed socket. */
static __always_inline __u16 local_port(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sock_of(sk);

	/* Not TCP: an MPTCP listener, found by a scan. */
	return tp ? bpf_ntohs(READ(tp, inet_conn.icsk_inet.inet_sport))
		  : READ(sk, __sk_common.skc_num);
}

/*
 * When a connection entered the accept queue, in microseconds of CLOCK_MONOTONIC.
 * tcp_init_transfer() starts the clock of tcp_rcv_space_adjust(), which goes on when the
 * first data are read: after accept().
 */
static __always_inline __u64 entered_queue_us(struct tcp_sock *child)
{
	return READ(child, rcvq_space.time);
}

/* Nothing is locked: another CPU may be taking it out. */
static __always_inline struct sock *longest_waiting(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sock_of(sk);

	return tp ? READ(tp, inet_conn.icsk_accept_queue.rskq_accept_head, sk) : NULL;
}

static __always_inline void describe_listener(struct sock *sk, const struct aw_syn_facts *facts,
					      enum aw_reason reason, __u64 cookie,
					      struct aw_listener *l)
{
	l->id = listener_id(sk);
	l->cookie = cookie;
	if (facts->accept_depth) {
		struct sock *child = longest_waiting(sk);
		struct tcp_sock *tp = known_null(child) ? NULL : tcp_sock_of(child);

		l->head_us = tp ? entered_queue_us(tp) : 0;
	}
	l->netns = READ(sk, __sk_common.skc_net.net, ns.inum);
	l->accept_depth = facts->accept_depth;
	l->accept_limit = facts->accept_limit;
	l->syn_depth = facts->syn_depth;
	l->syn_limit = aw_syn_queue_limit(facts, reason);
	l->family = READ(sk, __sk_common.skc_family);
	l->port = local_port(sk);
	if (l->family == AF_INET6)
		READ_IN6(l->address, sk, __sk_common.skc_v6_rcv_saddr);
	else
		*(__u32 *)l->address = READ(sk, __sk_common.skc_rcv_saddr);
}

#endif
