/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Listeners come and go: sock:inet_sock_set_state, in the thread that does it.
 */
#ifndef ACCEPTWATCH_LIFECYCLE_BPF_H
#define ACCEPTWATCH_LIFECYCLE_BPF_H

/*
 * Connections of a closed member of an SO_REUSEPORT group go on at another one
 * where tcp_migrate_req is set (5.14, 55d444b310c6). The group has let go of this
 * one already: tcp_set_state() unhashes first.
 */
static __always_inline bool migrates(struct sock *sk)
{
	struct sock_reuseport *group = READ(sk, sk_reuseport_cb);

	if (!bpf_core_field_exists(struct netns_ipv4, sysctl_tcp_migrate_req) || !group)
		return false;
	return READ(sk, __sk_common.skc_net.net, ipv4.sysctl_tcp_migrate_req) &&
	       READ(group, num_socks);
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
	/* Cleared only after the state: inet_csk_listen_start(). */
	report_at(sk, e, &facts);
}

static __always_inline void on_listener_opened(struct sock *sk)
{
	struct aw_event e = {};
	__u8 yes = 1;

	report_lifecycle(sk, AW_LISTENER_OPENED, &e);
	bpf_map_update_elem(&aw_holders, &e.pid, &yes, BPF_ANY);
}

static __always_inline void on_listener_closed(struct sock *sk)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct aw_event e = { .stage = AW_STAGE_CLOSED };
	struct aw_closing closing = {};

	/* A child that finds no new listener is reset all the same. */
	closing.children = READ(sk, sk_ack_backlog);
	report_lifecycle(sk, AW_LISTENER_CLOSED, &e);
	closing.listener = e.listener;
	if (closing.children)
		bpf_map_update_elem(&aw_closing, &thread, &closing, BPF_ANY);
	else
		bpf_map_delete_elem(&aw_closing, &thread);
}

/*
 * `sk` of LISTEN -> SYN_RECV is a child fresh from the clone, whose backlog
 * fields are copies. An MPTCP listener has a kernel-owned TCP socket below it
 * that comes here too; the MPTCP socket itself has another protocol number.
 */
static __always_inline bool begins_or_ends_listening(struct sock *sk, int old_state, int new_state)
{
	if (new_state != TCP_LISTEN && !(old_state == TCP_LISTEN && new_state == TCP_CLOSE))
		return false;
	return READ(sk, sk_protocol) == IPPROTO_TCP;
}

static __always_inline void on_lifecycle(struct sock *sk, int new_state)
{
	if (new_state == TCP_LISTEN)
		on_listener_opened(sk);
	else
		on_listener_closed(sk);
}

static __always_inline void on_set_state(struct sock *sk, int old_state, int new_state)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct aw_transition done = { .sk = (__u64)sk, .state = new_state };

	if (!begins_or_ends_listening(sk, old_state, new_state))
		return;
	bpf_map_update_elem(&aw_transitions, &thread, &done, BPF_ANY);
	on_lifecycle(sk, new_state);
}

/*
 * The kernel does not run a tracepoint program on a CPU where it is being run:
 * __bpf_trace_run(), prog->active. Where tracepoints can be preempted (seen on
 * 7.2), a listen() is passed over because another task was preempted in the
 * middle of its own. So there are two programs, the second of which does what
 * the first was kept from, and knows by the mark that it leaves. User space is
 * woken by the second, or each record would make that case.
 */
static __always_inline void on_set_state_again(struct sock *sk, int old_state, int new_state)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct aw_transition *done;

	if (!begins_or_ends_listening(sk, old_state, new_state))
		return;
	done = bpf_map_lookup_elem(&aw_transitions, &thread);
	if (done && done->sk == (__u64)sk && done->state == new_state)
		bpf_map_delete_elem(&aw_transitions, &thread);
	else
		on_lifecycle(sk, new_state);
	wake_user_space();
}

#endif
