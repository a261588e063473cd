// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What seed.bpf.c has for user space, for kernels without bpf_sock_from_file(), where nothing tells
 * a typed program which file is a socket. What it needs of one is read as raw memory.
 */
#define AW_PROBE_READS 1
#define AW_MEETS_MPTCP 1
#include "common.bpf.h"
#include "kernel.bpf.h"
#include "listener.bpf.h"
#include "holders.bpf.h"
#include "stacks.bpf.h"
#include "arrivals.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* UAPI macros, which BTF does not carry. */
#define S_IFMT 0170000
#define S_IFSOCK 0140000

/*
 * sock_from_file() compares with the address of socket_file_ops. A file of a socket's inode is
 * one, too, unless it was opened by its path (O_PATH): then it has no struct socket.
 */
static __always_inline struct socket *socket_of(struct file *file)
{
	struct socket *socket = READ(file, private_data);

	if ((READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK || !socket)
		return NULL;
	return READ(socket, file) == file ? socket : NULL;
}

SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = socket_of(file);
	sk = socket ? READ(socket, sk) : NULL;
	if (sk && is_listener(sk))
		show_holder(ctx, task, sk);
	return 0;
}
