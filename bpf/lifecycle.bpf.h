/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Listeners come and go: sock:inet_sock_set_state, in the thread that does it.
 */
#ifndef ACCEPTWATCH_LIFECYCLE_BPF_H
#define ACCEPTWATCH_LIFECYCLE_BPF_H

static __always_inline void report_lifecycle(struct sock *sk, enum aw_action action,
					     struct aw_event *e)
{
	struct aw_syn_facts facts = {};

	e->action = action;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	current_process_name(e->comm);
	read_syn_facts(sk, &facts);
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
	struct aw_closing closing = {};
	struct aw_event e = { .stage = AW_STAGE_CLOSED };

	report_lifecycle(sk, AW_LISTENER_CLOSED, &e);
	closing.listener = e.listener;
	closing.children = e.listener.accept_depth;
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
static __always_inline void on_set_state(struct sock *sk, int old_state, int new_state)
{
	if (new_state != TCP_LISTEN && !(old_state == TCP_LISTEN && new_state == TCP_CLOSE))
		return;
	if (READ(sk, sk_protocol) != IPPROTO_TCP)
		return;
	if (new_state == TCP_LISTEN)
		on_listener_opened(sk);
	else
		on_listener_closed(sk);
}

#endif
