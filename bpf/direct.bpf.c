// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The typed object: tiers `fentry` (all of it but the last part) and
 * `tracepoint`. User space switches on what the plan asks for.
 */
#include "common.bpf.h"
#include "maps.bpf.h"
#include "read.bpf.h"
#include "kernel.bpf.h"
#include "listener.bpf.h"
#include "packet.bpf.h"
#include "report.bpf.h"
#include "syn_stage.bpf.h"
#include "ack_stage.bpf.h"
#include "retransmit.bpf.h"
#include "resets.bpf.h"
#include "requests.bpf.h"
#include "skb_drop.bpf.h"
#include "lifecycle.bpf.h"
#include "owners.bpf.h"
#include "ingress.bpf.h"
#include "tracepoints.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Tier fentry. */

SEC("fentry/tcp_conn_request")
int BPF_PROG(conn_request, void *rsk_ops, void *af_ops, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active)
		on_conn_request(sk, skb);
	return 0;
}

SEC("fentry/tcp_make_synack")
int BPF_PROG(make_synack, struct sock *sk, void *dst, struct request_sock *req, void *foc,
	     enum tcp_synack_type type)
{
	on_make_synack(type);
	return 0;
}

SEC("fexit/tcp_conn_request")
int BPF_PROG(conn_request_return, void *rsk_ops, void *af_ops, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active)
		on_conn_request_return(sk, skb);
	return 0;
}

/* 6.18 added a seventh argument, which moves the returned child by one. */
static __always_inline bool child_refused(unsigned long long *ctx)
{
	__u64 child;

	if (aw_config.syn_recv_sock_args == 7) {
		child = ctx[7];
		barrier_var(child);
	} else {
		child = ctx[6];
		barrier_var(child);
	}
	return !child;
}

SEC("fexit/tcp_v4_syn_recv_sock")
int BPF_PROG(v4_syn_recv_sock_return, struct sock *sk, struct sk_buff *skb,
	     struct request_sock *req, void *dst, struct request_sock *req_unhash)
{
	if (aw_active && child_refused(ctx))
		on_child_refused(sk, skb, req, req_unhash);
	return 0;
}

SEC("fexit/tcp_v6_syn_recv_sock")
int BPF_PROG(v6_syn_recv_sock_return, struct sock *sk, struct sk_buff *skb,
	     struct request_sock *req, void *dst, struct request_sock *req_unhash)
{
	if (aw_active && child_refused(ctx) && !ipv4_of_ipv6_listener(skb))
		on_child_refused(sk, skb, req, req_unhash);
	return 0;
}

SEC("fexit/security_inet_conn_request")
int BPF_PROG(security_asked, struct sock *sk, struct sk_buff *skb, struct request_sock *req,
	     int refused)
{
	on_security_asked(refused);
	return 0;
}

SEC("fentry/inet_csk_reqsk_queue_drop")
int BPF_PROG(request_dropped, struct sock *sk, struct request_sock *req)
{
	if (aw_active)
		on_request_dropped(sk, req);
	return 0;
}

SEC("fentry/__inet_csk_reqsk_queue_drop")
int BPF_PROG(request_expired, struct sock *sk, struct request_sock *req, bool from_timer)
{
	if (aw_active && from_timer)
		on_request_expired(sk, req);
	return 0;
}

SEC("fentry/tcp_req_err")
int BPF_PROG(icmp_error, struct sock *req, u32 seq, bool abort)
{
	on_icmp_error(req, abort);
	return 0;
}

/* Only before 6.10: see resets.bpf.h. */
SEC("fentry/tcp_v4_send_reset")
int BPF_PROG(v4_send_reset, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active && !sk)
		on_reset_without_socket(skb, 0);
	return 0;
}

SEC("fentry/tcp_v6_send_reset")
int BPF_PROG(v6_send_reset, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active && !sk)
		on_reset_without_socket(skb, 0);
	return 0;
}

SEC("fentry/inet_csk_accept")
int BPF_PROG(accept_called, struct sock *sk)
{
	if (aw_active)
		on_accept(sk);
	return 0;
}

/* Tier tracepoint. */

SEC("cgroup_skb/ingress")
int ingress(struct __sk_buff *skb)
{
	if (aw_active)
		on_ingress(skb);
	return 1;
}

SEC("tp_btf/consume_skb")
int BPF_PROG(syn_consumed, struct sk_buff *skb)
{
	on_consume_skb(skb);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(syn_refused, struct sk_buff *skb)
{
	on_refused_skb(skb);
	return 0;
}
