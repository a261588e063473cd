// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The typed object: tiers `fentry` (all of it but the last part) and
 * `tracepoint`. User space switches on what the plan asks for.
 */
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
#include "accept.bpf.h"
#include "after_accept.bpf.h"
#include "ingress.bpf.h"
#include "tracepoints.bpf.h"
#include "functions.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Tier fentry. */

SEC("fexit/tcp_conn_request")
int BPF_PROG(conn_request_return, void *rsk_ops, void *af_ops, struct sock *sk, struct sk_buff *skb)
{
	on_conn_request_return(sk, skb);
	return 0;
}

/* Where a dropped ACK has no drop reason of its own. */
SEC("fexit/tcp_v4_syn_recv_sock")
int BPF_PROG(v4_syn_recv_sock_return, struct sock *sk, struct sk_buff *skb,
	     struct request_sock *req, void *dst, struct request_sock *req_unhash)
{
	if (child_refused(ctx) && aw_active)
		on_child_refused(sk, skb, req, req_unhash);
	return 0;
}

SEC("fexit/tcp_v6_syn_recv_sock")
int BPF_PROG(v6_syn_recv_sock_return, struct sock *sk, struct sk_buff *skb,
	     struct request_sock *req, void *dst, struct request_sock *req_unhash)
{
	if (child_refused(ctx) && aw_active && !ipv4_of_ipv6_listener(skb))
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

/* Without casts, instead of request_timeout and request_timer_end. */
SEC("fentry/__inet_csk_reqsk_queue_drop")
int BPF_PROG(request_expired, struct sock *sk, struct request_sock *req, bool from_timer)
{
	if (aw_active && from_timer)
		on_request_expired(sk, req);
	return 0;
}

SEC("fexit/reqsk_timer_handler")
int BPF_PROG(request_timer_end)
{
	on_request_timer_end();
	return 0;
}

SEC("fexit/inet_csk_accept")
int BPF_PROG(accepted, struct sock *sk)
{
	struct sock *child = accepted_socket(ctx);

	if (!aw_active)
		return 0;
	on_accept(sk, child);
	if (aw_config.after_accept && child)
		note_accepted(child);
	return 0;
}

/* Both only until each thread is out that was in accept() before: probes/early_accepts.h. */
SEC("fentry/inet_csk_accept")
int BPF_PROG(accept_entered)
{
	on_accept_entered();
	return 0;
}

SEC("fentry/security_sock_graft")
int BPF_PROG(accept_left, struct sock *child)
{
	if (aw_active)
		on_accept_left(child);
	return 0;
}

/* Programs that are attached three times: on_transition() says why. */
#define THREE_TIMES(PROGRAM, name)                                                                 \
	PROGRAM(name, AW_FIRST)                                                                    \
	PROGRAM(name##_again, AW_AGAIN)                                                            \
	PROGRAM(name##_at_last, AW_AT_LAST)

#define LISTEN_STARTED(name, attached)                                                             \
	SEC("fexit/inet_csk_listen_start")                                                         \
	int BPF_PROG(name, struct sock *sk)                                                        \
	{                                                                                          \
		if (aw_active && !listen_failed(ctx))                                              \
			on_transition(sk, TCP_LISTEN, attached);                                   \
		return 0;                                                                          \
	}
THREE_TIMES(LISTEN_STARTED, listen_started)

#define LISTEN_STOPPED(name, attached)                                                             \
	SEC("fentry/inet_csk_listen_stop")                                                         \
	int BPF_PROG(name, struct sock *sk)                                                        \
	{                                                                                          \
		if (aw_active)                                                                     \
			on_transition(sk, TCP_CLOSE, attached);                                    \
		return 0;                                                                          \
	}
THREE_TIMES(LISTEN_STOPPED, listen_stopped)

/* Tier tracepoint. */

#define SET_STATE(name, attached)                                                                  \
	SEC("tp_btf/inet_sock_set_state")                                                          \
	int BPF_PROG(name, struct sock *sk, __u64 old_state, __u64 new_state)                      \
	{                                                                                          \
		on_set_state(sk, old_state, new_state, attached);                                  \
		return 0;                                                                          \
	}
THREE_TIMES(SET_STATE, set_state)

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
