// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Listeners that are older than acceptwatch: every descriptor of every process,
 * in all network namespaces, that refers to a listening TCP socket. User space
 * reads an iterator and gets one struct aw_holder for each.
 * bpf_sock_from_file(): 5.11; before that user space walks /proc.
 */
#include "common.bpf.h"
#include "read.bpf.h"
#include "kernel.bpf.h"
#include "listener.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

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

SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct aw_syn_facts facts = {};
	struct aw_holder holder = {};
	struct socket *socket;
	struct sock *sk;
	__u8 yes = 1;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || sock_state(sk) != TCP_LISTEN ||
	    (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_MPTCP))
		return 0;

	holder.header.size = sizeof(holder);
	holder.header.kind = AW_RECORD_HOLDER;
	holder.header.boot_ns = bpf_ktime_get_boot_ns();
	read_syn_facts(sk, &facts);
	describe_listener(sk, &facts, AW_REASON_NONE, socket_cookie(sk), &holder.listener);
	describe_limits(sk, &facts, &holder);
	holder.pid = task->tgid;
	holder.fd = ctx->fd;
	holder.start_ns = task->group_leader->start_boottime;
	read_comm(holder.comm, task->group_leader);

	/* From here on its forks are seen, before user space has read this. */
	bpf_map_update_elem(&aw_holders, &holder.pid, &yes, BPF_ANY);
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
	return 0;
}

/*
 * Gives a new listener its socket cookie, for programs with untyped arguments,
 * which cannot ask for one. It runs before theirs, which wait for the end of the call.
 */
SEC("fentry/inet_csk_listen_start")
int BPF_PROG(give_cookie, struct sock *sk)
{
	socket_cookie(sk);
	return 0;
}
