// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What user space reads beside the main programs: who holds which listener, and where in the
 * kernel their threads are, how many connections come, and which chain of the firewall drops
 * packets. And cookies for new listeners.
 */
#include "common.bpf.h"
#include "kernel.bpf.h"
#include "listener.bpf.h"
#include "holders.bpf.h"
#include "stacks.bpf.h"
#include "arrivals.bpf.h"
#include "chains.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* bpf_sock_from_file(): 4f19cab76136 (5.11). Where it is not, probe_seed.bpf.c stands in. */
SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (sk && is_listener(sk))
		show_holder(ctx, task, sk);
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
