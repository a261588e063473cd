/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Listeners come and go, in the thread that does it: inet_csk_listen_start() and
 * inet_csk_listen_stop(), which cost a connection nothing; with tracepoints only,
 * sock:inet_sock_set_state.
 */
#ifndef ACCEPTWATCH_LIFECYCLE_BPF_H
#define ACCEPTWATCH_LIFECYCLE_BPF_H

/*
 * Connections of a closed member of an SO_REUSEPORT group go on at another one
 * where tcp_migrate_req is set. The group has let go of this one already:
 * tcp_set_state() unhashes first.
 */
static __always_inline bool migrates(struct sock *sk)
{
	struct sock_reuseport *group = READ(sk, sk_reuseport_cb);

	if (!connections_can_migrate() || !group)
		return false;
	return READ(sk, __sk_common.skc_net.net, ipv4.sysctl_tcp_migrate_req) &&
	       READ(group, num_socks);
}

/*
 * A listener that is still of its group when it stops does so where connections may migrate
 * (reuseport_stop_listen_sock()); each that does not, reuseport_migrate_sock() counts, as it
 * does handshakes under way.
 */
static __always_inline __u8 mib_of_children(struct sock *sk)
{
	if (!connections_can_migrate() || !READ(sk, sk_reuseport_cb))
		return 0;
	return AW_MIB_MIGRATEREQFAILURE;
}

/*
 * inet_csk_reqsk_queue_drop_and_put(), from tcp_v4_rcv() and its twin: the listener of the
 * request that a packet has found is closed. Where nobody else listens there by now, a RST
 * answers it at once, on this CPU: resets.bpf.h. From the timer, which is not pending then,
 * no packet has come.
 */
static __always_inline void on_request_without_listener(struct sock *sk, struct request_sock *req)
{
	struct aw_scratch *s = scratch();

	if (!s || sock_state(sk) == TCP_LISTEN || !READ(req, rsk_timer.entry.pprev))
		return;
	s->orphan_ports = both_ports(bpf_ntohs(READ(req, __req_common.skc_dport)),
				     READ(req, __req_common.skc_num));
	s->orphan_mib = mib_of_children(sk);
}

static __always_inline void report_lifecycle(struct sock *sk, enum aw_action action,
					     struct aw_event *e)
{
	struct aw_syn_facts facts = {};

	e->action = action;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	current_process_name(e->comm);
	read_syn_facts(sk, &facts);
	if (action == AW_LISTENER_CLOSED && migrates(sk))
		facts.accept_depth = facts.syn_depth = 0;
	report_at(sk, e, &facts);
}

/* The system call itself: what it hands on is capped by somaxconn. */
static __always_inline void on_listen(__u32 backlog)
{
	__u64 thread = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&aw_backlogs, &thread, &backlog, BPF_ANY);
}

static __always_inline void on_listener_opened(struct sock *sk, struct aw_event *e)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 *backlog = bpf_map_lookup_elem(&aw_backlogs, &thread);
	__u8 yes = 1;

	if (backlog) {
		e->backlog = *backlog;
		e->flags = AW_HAS_BACKLOG;
		bpf_map_delete_elem(&aw_backlogs, &thread);
	}
	report_lifecycle(sk, AW_LISTENER_OPENED, e);
	aw_listened_ports[e->listener.port] = true;
	bpf_map_update_elem(&aw_holders, &e->pid, &yes, BPF_ANY);
}

/* linux/sched.h */
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000

/* Of wait(2)'s status: by which signal it ended; 0: it called exit(). */
#define EXIT_SIGNAL 0x7f

/*
 * Who ends it, and how. A worker of the kernel closes what nobody holds any more (a descriptor
 * that was in flight, flush_delayed_fput()): of that nothing is known. inet_shutdown() of a
 * listener goes through tcp_disconnect(), which leaves sk_shutdown alone; __tcp_close() sets it
 * first, and __mptcp_close() that of the user's socket. Of a socket without a file, which the
 * kernel owns, it says nothing.
 */
static __always_inline void describe_end(struct sock *sk, struct aw_event *e)
{
	struct aw_ending ending = {};

	if (!read_ending(&ending) || ending.flags & PF_KTHREAD)
		return;
	if (ending.flags & PF_EXITING) {
		e->exit_code = ending.exit_code;
		e->reason = ending.exit_code & EXIT_SIGNAL ? AW_KILLED : AW_EXITED;
	} else if (READ(sk, sk_socket, sk, sk_shutdown)) {
		e->reason = AW_CLOSED;
	} else if (READ(sk, sk_socket, file)) {
		e->reason = AW_SHUT_DOWN;
	}
}

static __always_inline void on_listener_closed(struct sock *sk, struct aw_event *e)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct aw_closing closing = {};

	/* A child that finds no new listener is reset all the same. */
	closing.children = READ(sk, sk_ack_backlog);
	e->stage = AW_STAGE_CLOSED;
	describe_end(sk, e);
	report_lifecycle(sk, AW_LISTENER_CLOSED, e);
	bpf_map_delete_elem(&aw_pressed, &e->listener.id);
	closing.extra_mib = mib_of_children(sk);
	closing.listener = e->listener;
	if (!closing.children) {
		bpf_map_delete_elem(&aw_closing, &thread);
		return;
	}
	bpf_map_update_elem(&aw_closing, &thread, &closing, BPF_ANY);
	aw_resets_children = true;
}

/* Which of the programs at one hook: on_transition(). */
enum aw_attached { AW_FIRST, AW_AGAIN, AW_AT_LAST };

static __always_inline void report_transition(struct sock *sk, __u32 state,
					      enum aw_attached attached)
{
	struct aw_event *e = begin_event(
		(state == TCP_LISTEN ? AW_DRAFT_OF_OPENED : AW_DRAFT_OF_CLOSED) + attached);

	if (!e)
		return;
	if (state == TCP_LISTEN)
		on_listener_opened(sk, e);
	else
		on_listener_closed(sk, e);
	end_event(e);
}

/*
 * The kernel does not run a program on a CPU where it is being run (prog->active,
 * in __bpf_trace_run() and __bpf_prog_enter_recur()). Where programs can be preempted
 * (seen on 7.2), a listen() is passed over because another task was preempted in the
 * middle of its own. So typed programs are attached three times: each handles what
 * those before it were kept from, and knows by the mark that they leave.
 */
static __always_inline void report_transition_once(struct sock *sk, __u32 state,
						   enum aw_attached attached)
{
	struct aw_transition change = { .state = state }, *done;
	__u64 key = (__u64)sk;

	/* DCCP has listeners too; below an MPTCP one is one of TCP, which comes here. */
	if (READ(sk, sk_protocol) != IPPROTO_TCP)
		return;
	change.listener = listener_id(sk);
	done = bpf_map_lookup_elem(&aw_transitions, &key);
	if (done && done->listener == change.listener && done->state == state)
		return;
	bpf_map_update_elem(&aw_transitions, &key, &change, BPF_ANY);
	report_transition(sk, state, attached);
}

/*
 * The last of them wakes user space, or each record would make that very case. It does
 * so whatever the others did: the one that was preempted may have come before its record.
 */
static __always_inline void on_transition(struct sock *sk, __u32 state, enum aw_attached attached)
{
	report_transition_once(sk, state, attached);
	if (attached == AW_AT_LAST)
		wake_user_space();
}

/*
 * `sk` of LISTEN -> SYN_RECV is a child fresh from the clone, whose backlog fields are
 * copies.
 */
static __always_inline bool begins_or_ends_listening(__u64 old_state, __u64 new_state)
{
	/* Most that come by, for each connection several, are between other states. */
	if (__builtin_expect(new_state != TCP_LISTEN && old_state != TCP_LISTEN, true))
		return false;
	return new_state == TCP_LISTEN || new_state == TCP_CLOSE;
}

/* sock:inet_sock_set_state */
static __always_inline void on_set_state(struct sock *sk, __u64 old_state, __u64 new_state,
					 enum aw_attached attached)
{
	if (attached == AW_AT_LAST && old_state == TCP_SYN_RECV && new_state == TCP_CLOSE)
		on_child_discarded(sk);
	if (begins_or_ends_listening(old_state, new_state) && aw_active)
		on_transition(sk, new_state, attached);
}

#endif
