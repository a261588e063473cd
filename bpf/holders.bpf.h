/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Listeners that are older than acceptwatch: every descriptor of every process,
 * in all network namespaces, that refers to a listening TCP socket. User space
 * reads an iterator and gets one struct aw_holder for each.
 */
#ifndef ACCEPTWATCH_HOLDERS_BPF_H
#define ACCEPTWATCH_HOLDERS_BPF_H

static __always_inline void describe_limits(struct sock *sk, const struct aw_syn_facts *facts,
					    struct aw_holder *holder)
{
	struct net *net = READ(sk, __sk_common.skc_net.net);

	holder->drops = (__u32)READ(sk, sk_drops.counter);
	holder->somaxconn = (__u32)READ(net, core.sysctl_somaxconn);
	holder->max_syn_backlog = facts->max_syn_backlog;
	holder->syncookies = facts->syncookies;
	holder->reuseport = READ(sk, sk_reuseport_cb) != NULL;
}

static __always_inline bool is_listener(struct sock *sk)
{
	return sock_state(sk) == TCP_LISTEN &&
	       (READ(sk, sk_protocol) == IPPROTO_TCP || READ(sk, sk_protocol) == IPPROTO_MPTCP);
}

/* `sk` is a listener, and a file of `task` refers to it. */
static __always_inline void show_holder(struct bpf_iter__task_file *ctx, struct task_struct *task,
					struct sock *sk)
{
	struct aw_syn_facts facts = {};
	struct aw_holder holder = {};
	__u8 yes = 1;

	holder.header.size = sizeof(holder);
	holder.header.kind = AW_RECORD_HOLDER;
	holder.header.boot_ns = bpf_ktime_get_boot_ns();
	read_syn_facts(sk, &facts);
	describe_listener(sk, &facts, AW_REASON_NONE, socket_cookie(sk), &holder.listener);
	describe_limits(sk, &facts, &holder);
	holder.pid = READ(task, tgid);
	holder.fd = ctx->fd;
	holder.start_ns = READ(task, group_leader, start_boottime);
	read_comm(holder.comm, READ(task, group_leader));

	/* From here on its forks are seen, before user space has read this. */
	bpf_map_update_elem(&aw_holders, &holder.pid, &yes, BPF_ANY);
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
}

#endif
