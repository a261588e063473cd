// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A security module that refuses requests to one port of one namespace: others play beside. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define EPERM 1

volatile __u16 refused_port = 0;
volatile __u32 refused_netns = 0;

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("lsm/inet_conn_request")
int BPF_PROG(refuse_request, struct sock *sk, struct sk_buff *skb, struct request_sock *req,
	     int refused)
{
	if (refused)
		return refused;
	if (sk->__sk_common.skc_num != refused_port)
		return 0;
	return sk->__sk_common.skc_net.net->ns.inum == refused_netns ? -EPERM : 0;
}
