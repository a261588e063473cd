// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The typed object: tiers `fentry` (all of it but the last part) and
 * `tracepoint`. User space switches on what the plan asks for.
 */
#include "common.bpf.h"
#include "maps.bpf.h"
#include "read.bpf.h"
#include "kernel.bpf.h"
#include "counters.bpf.h"
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
#include "accept.bpf.h"
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

/* Only where counters cannot be read: see syn_stage.bpf.h. */
SEC("fentry/tcp_make_synack")
int BPF_PROG(make_synack)
{
	on_make_synack();
	return 0;
}

SEC("fentry/cookie_v4_init_sequence")
int BPF_PROG(v4_cookie_made)
{
	on_cookie_made();
	return 0;
}

SEC("fentry/cookie_v6_init_sequence")
int BPF_PROG(v6_cookie_made)
{
	on_cookie_made();
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

/* Where a dropped ACK has no drop reason of its own. */
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

SEC("fentry/inet_csk_prepare_forced_close")
int BPF_PROG(child_discarded, struct sock *child)
{
	on_child_discarded(child);
	return 0;
}

SEC("fexit/security_inet_conn_request")
int BPF_PROG(security_asked, struct sock *sk, struct sk_buff *skb, struct request_sock *req,
	     int refused)
{
	on_security_asked(refused);
	return 0;
}

/* Where a dropped RST does not name the listener. */
SEC("fentry/inet_csk_reqsk_queue_drop")
int BPF_PROG(request_dropped, struct sock *sk, struct request_sock *req)
{
	if (aw_active)
		on_request_dropped(sk, req);
	return 0;
}

SEC("fentry/inet_csk_reqsk_queue_drop_and_put")
int BPF_PROG(request_orphaned, struct sock *sk, struct request_sock *req)
{
	on_request_without_listener(sk, req);
	return 0;
}

/* Before 6.2, instead of the two that follow. */
SEC("fentry/__inet_csk_reqsk_queue_drop")
int BPF_PROG(request_expired, struct sock *sk, struct request_sock *req, bool from_timer)
{
	if (aw_active && from_timer)
		on_request_expired(sk, req);
	return 0;
}

SEC("fentry/tcp_syn_ack_timeout")
int BPF_PROG(request_timeout, struct request_sock *req)
{
	if (aw_active)
		on_request_timeout(req);
	return 0;
}

SEC("fexit/reqsk_timer_handler")
int BPF_PROG(request_timer_end, struct timer_list *timer)
{
	on_request_timer_end(timer->entry.pprev);
	return 0;
}

SEC("fentry/tcp_req_err")
int BPF_PROG(icmp_error, struct request_sock *req, u32 seq, bool abort)
{
	if (aw_active)
		on_icmp_error(req, seq, abort);
	return 0;
}

SEC("fentry/nf_ct_attach")
int BPF_PROG(netfilter_answer, struct sk_buff *answer, struct sk_buff *skb)
{
	if (aw_active)
		on_netfilter_answer(answer, skb);
	return 0;
}

/* Only before 6.10: see resets.bpf.h. */
SEC("fentry/tcp_v4_send_reset")
int BPF_PROG(v4_send_reset, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active)
		on_reset_of_no_listener(sk, skb);
	return 0;
}

SEC("fentry/tcp_v6_send_reset")
int BPF_PROG(v6_send_reset, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active)
		on_reset_of_no_listener(sk, skb);
	return 0;
}

/* 6.10 removed two arguments (92ef0fd55ac8), which moves the accepted socket. */
static __always_inline struct sock *accepted_socket(unsigned long long *ctx)
{
	struct sock *child;

	if (aw_config.accept_args == 2) {
		child = (struct sock *)ctx[2];
		barrier_var(child);
	} else {
		child = (struct sock *)ctx[4];
		barrier_var(child);
	}
	return child;
}

SEC("fexit/inet_csk_accept")
int BPF_PROG(accepted, struct sock *sk)
{
	struct sock *child = accepted_socket(ctx);

	if (aw_active)
		on_accept(sk, child);
	return 0;
}

SEC("fentry/__x64_sys_listen")
int BPF_PROG(listen_called, const struct pt_regs *regs)
{
	on_listen(regs->si);
	return 0;
}

/* 5.17 removed the second argument, which moves the result by one. */
static __always_inline bool listen_failed(unsigned long long *ctx)
{
	__u64 error;

	if (aw_config.listen_start_args == 2) {
		error = ctx[2];
		barrier_var(error);
	} else {
		error = ctx[1];
		barrier_var(error);
	}
	return (int)error;
}

SEC("fexit/inet_csk_listen_start")
int BPF_PROG(listen_started, struct sock *sk)
{
	if (aw_active && !listen_failed(ctx))
		on_transition(sk, TCP_LISTEN, AW_FIRST);
	return 0;
}

SEC("fexit/inet_csk_listen_start")
int BPF_PROG(listen_started_again, struct sock *sk)
{
	if (aw_active && !listen_failed(ctx))
		on_transition(sk, TCP_LISTEN, AW_AGAIN);
	return 0;
}

SEC("fexit/inet_csk_listen_start")
int BPF_PROG(listen_started_at_last, struct sock *sk)
{
	if (aw_active && !listen_failed(ctx))
		on_transition_at_last(sk, TCP_LISTEN);
	return 0;
}

SEC("fentry/inet_csk_listen_stop")
int BPF_PROG(listen_stopped, struct sock *sk)
{
	if (aw_active)
		on_transition(sk, TCP_CLOSE, AW_FIRST);
	return 0;
}

SEC("fentry/inet_csk_listen_stop")
int BPF_PROG(listen_stopped_again, struct sock *sk)
{
	if (aw_active)
		on_transition(sk, TCP_CLOSE, AW_AGAIN);
	return 0;
}

SEC("fentry/inet_csk_listen_stop")
int BPF_PROG(listen_stopped_at_last, struct sock *sk)
{
	if (aw_active)
		on_transition_at_last(sk, TCP_CLOSE);
	return 0;
}

/* Tier tracepoint. */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state, struct sock *sk, __u64 old_state, __u64 new_state)
{
	if (begins_or_ends_listening(old_state, new_state) && aw_active)
		on_transition(sk, new_state, AW_FIRST);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state_again, struct sock *sk, __u64 old_state, __u64 new_state)
{
	if (begins_or_ends_listening(old_state, new_state) && aw_active)
		on_transition(sk, new_state, AW_AGAIN);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state_at_last, struct sock *sk, __u64 old_state, __u64 new_state)
{
	if (old_state == TCP_SYN_RECV && new_state == TCP_CLOSE)
		on_child_discarded(sk);
	if (begins_or_ends_listening(old_state, new_state) && aw_active)
		on_transition_at_last(sk, new_state);
	return 0;
}

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
