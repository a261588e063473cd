// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The untyped object: tier `kprobe`. The same handlers as in direct.bpf.c, loads by
 * probe reads or casts (read.bpf.h). A kretprobe has no arguments: entries leave them.
 */
#define AW_PROBE_READS 1
#include "common.bpf.h"
#include "maps.bpf.h"
#include "kernel.bpf.h"
#include "counters.bpf.h"
#include "listener.bpf.h"
#include "packet.bpf.h"
#include "translation.bpf.h"
#include "report.bpf.h"
#include "syn_stage.bpf.h"
#include "ack_stage.bpf.h"
#include "retransmit.bpf.h"
#include "resets.bpf.h"
#include "requests.bpf.h"
#include "way.bpf.h"
#include "skb_drop.bpf.h"
#include "lifecycle.bpf.h"
#include "owners.bpf.h"
#include "after_accept.bpf.h"
#include "tracepoints.bpf.h"
#include "functions.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("kretprobe/tcp_conn_request")
int BPF_KRETPROBE(conn_request_return)
{
	struct aw_scratch *s = scratch();

	if (s)
		on_conn_request_return((struct sock *)s->sk, (struct sk_buff *)s->skb);
	return 0;
}

/* The ACK stage, where a dropped ACK has no drop reason of its own. One slot per family: the IPv6
 * function calls the IPv4 one. */
struct aw_syn_recv_call {
	__u64 sk;
	__u64 skb;
	__u64 req;
	__u64 req_unhash;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct aw_syn_recv_call);
} aw_syn_recv_calls SEC(".maps");

enum { SLOT_V4, SLOT_V6 };

static __always_inline void note_syn_recv(__u32 slot, struct pt_regs *ctx)
{
	struct aw_syn_recv_call *call = bpf_map_lookup_elem(&aw_syn_recv_calls, &slot);

	if (!call)
		return;
	call->sk = PT_REGS_PARM1(ctx);
	call->skb = PT_REGS_PARM2(ctx);
	call->req = PT_REGS_PARM3(ctx);
	call->req_unhash = PT_REGS_PARM5(ctx);
}

static __always_inline void syn_recv_returned(__u32 slot, struct pt_regs *ctx)
{
	struct aw_syn_recv_call *call = bpf_map_lookup_elem(&aw_syn_recv_calls, &slot);
	struct sk_buff *skb;

	/* No entry was seen: the probe was attached while the call was under way. */
	if (!aw_active || !call || !call->sk)
		return;
	skb = (struct sk_buff *)call->skb;
	if (!PT_REGS_RC(ctx) && !(slot == SLOT_V6 && ipv4_of_ipv6_listener(skb)))
		on_child_refused((struct sock *)call->sk, skb, (struct request_sock *)call->req,
				 call->req_unhash);
	call->sk = 0;
}

SEC("kprobe/tcp_v4_syn_recv_sock")
int BPF_KPROBE(v4_syn_recv_sock)
{
	note_syn_recv(SLOT_V4, ctx);
	return 0;
}

SEC("kretprobe/tcp_v4_syn_recv_sock")
int BPF_KRETPROBE(v4_syn_recv_sock_return)
{
	syn_recv_returned(SLOT_V4, ctx);
	return 0;
}

SEC("kprobe/tcp_v6_syn_recv_sock")
int BPF_KPROBE(v6_syn_recv_sock)
{
	note_syn_recv(SLOT_V6, ctx);
	return 0;
}

SEC("kretprobe/tcp_v6_syn_recv_sock")
int BPF_KRETPROBE(v6_syn_recv_sock_return)
{
	syn_recv_returned(SLOT_V6, ctx);
	return 0;
}

SEC("kretprobe/security_inet_conn_request")
int BPF_KRETPROBE(security_asked, int refused)
{
	on_security_asked(refused);
	return 0;
}

SEC("kretprobe/reqsk_timer_handler")
int BPF_KRETPROBE(request_timer_end)
{
	on_request_timer_end();
	return 0;
}

/* The socket of which a thread is making a listener. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* pid_tgid */
	__type(value, __u64);
} aw_listen_calls SEC(".maps");

SEC("kprobe/inet_csk_listen_start")
int BPF_KPROBE(listen_start, struct sock *sk)
{
	__u64 thread = bpf_get_current_pid_tgid(), value = (__u64)sk;

	bpf_map_update_elem(&aw_listen_calls, &thread, &value, BPF_ANY);
	return 0;
}

SEC("kretprobe/inet_csk_listen_start")
int BPF_KRETPROBE(listen_started, int error)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *sk = bpf_map_lookup_elem(&aw_listen_calls, &thread);

	if (!sk)
		return 0;
	if (aw_active && !error)
		on_transition((struct sock *)*sk, TCP_LISTEN, AW_AT_LAST);
	bpf_map_delete_elem(&aw_listen_calls, &thread);
	return 0;
}

/* Handlers of kprobes are not preempted: one is enough. */
SEC("kprobe/inet_csk_listen_stop")
int BPF_KPROBE(listen_stopped, struct sock *sk)
{
	if (aw_active)
		on_transition(sk, TCP_CLOSE, AW_AT_LAST);
	return 0;
}
