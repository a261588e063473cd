/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs that every tier with BPF has, at the kernel's own tracepoints:
 * typed (tp_btf) or untyped (raw_tp), as the object that includes this reads.
 */
#ifndef ACCEPTWATCH_TRACEPOINTS_BPF_H
#define ACCEPTWATCH_TRACEPOINTS_BPF_H

#ifdef AW_PROBE_READS
#define TRACEPOINT "raw_tp/"
#else
#define TRACEPOINT "tp_btf/"
#endif

SEC(TRACEPOINT "tcp_retransmit_synack")
int BPF_PROG(retransmit_synack, struct sock *sk, struct request_sock *req)
{
	if (aw_active)
		on_retransmit_synack(sk, req);
	return 0;
}

SEC(TRACEPOINT "tcp_send_reset")
int BPF_PROG(send_reset, struct sock *sk, struct sk_buff *skb)
{
	on_send_reset(sk, skb, ctx);
	return 0;
}

SEC(TRACEPOINT "tcp_receive_reset")
int BPF_PROG(receive_reset, struct sock *sk)
{
	on_receive_reset(sk);
	return 0;
}

/* --after-accept */
SEC(TRACEPOINT "inet_sock_set_state")
int BPF_PROG(after_accept, struct sock *sk, __u64 old_state, __u64 new_state)
{
	if (aw_active)
		on_state_after_accept(sk, old_state, new_state);
	return 0;
}

/* Where it has both a reason and the socket: overflow_has_a_reason(). */
SEC(TRACEPOINT "kfree_skb")
int BPF_PROG(skb_drop, struct sk_buff *skb, void *location, __u32 reason, struct sock *rx_sk)
{
	if (aw_active)
		on_kfree_skb(skb, location, reason, rx_sk);
	return 0;
}

/* Where it has a reason only. */
SEC(TRACEPOINT "kfree_skb")
int BPF_PROG(skb_drop_reason, struct sk_buff *skb, void *location, __u32 reason)
{
	if (aw_active)
		on_kfree_skb_reason(skb, location, reason);
	return 0;
}

SEC(TRACEPOINT "sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	on_fork(parent, child);
	return 0;
}

SEC(TRACEPOINT "sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	on_exec(task);
	return 0;
}

SEC(TRACEPOINT "task_rename")
int BPF_PROG(process_rename, struct task_struct *task, const char *name)
{
	on_rename(task, name);
	return 0;
}

SEC(TRACEPOINT "sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	on_exit(task);
	return 0;
}

#endif
