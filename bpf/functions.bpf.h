/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs at entries of kernel functions that tiers fentry and kprobe share: typed (fentry)
 * or untyped (kprobe), as the object that includes this reads. Programs at returns differ, since
 * a kretprobe has no arguments: they are in direct.bpf.c and probe.bpf.c.
 */
#ifndef ACCEPTWATCH_FUNCTIONS_BPF_H
#define ACCEPTWATCH_FUNCTIONS_BPF_H

#ifdef AW_PROBE_READS
#define ENTRY "kprobe/"
#define ENTRY_PROG BPF_KPROBE
#else
#define ENTRY "fentry/"
#define ENTRY_PROG BPF_PROG
#endif

SEC(ENTRY "tcp_conn_request")
int ENTRY_PROG(conn_request, void *rsk_ops, void *af_ops, struct sock *sk, struct sk_buff *skb)
{
	on_conn_request(sk, skb);
	return 0;
}

/* Only where counters cannot be read: see syn_stage.bpf.h. */
SEC(ENTRY "tcp_make_synack")
int ENTRY_PROG(make_synack)
{
	on_make_synack();
	return 0;
}

SEC(ENTRY "cookie_v4_init_sequence")
int ENTRY_PROG(v4_cookie_made)
{
	on_cookie_made();
	return 0;
}

SEC(ENTRY "cookie_v6_init_sequence")
int ENTRY_PROG(v6_cookie_made)
{
	on_cookie_made();
	return 0;
}

SEC(ENTRY "inet_csk_prepare_forced_close")
int ENTRY_PROG(child_discarded, struct sock *child)
{
	on_child_discarded(child);
	return 0;
}

/* Where a dropped RST does not name the listener. */
SEC(ENTRY "inet_csk_reqsk_queue_drop")
int ENTRY_PROG(request_dropped, struct sock *sk, struct request_sock *req)
{
	if (aw_active)
		on_request_dropped(sk, req);
	return 0;
}

SEC(ENTRY "inet_csk_reqsk_queue_drop_and_put")
int ENTRY_PROG(request_orphaned, struct sock *sk, struct request_sock *req)
{
	on_request_without_listener(sk, req);
	return 0;
}

SEC(ENTRY "tcp_syn_ack_timeout")
int ENTRY_PROG(request_timeout, struct request_sock *req)
{
	if (aw_active)
		on_request_timeout(req);
	return 0;
}

SEC(ENTRY "tcp_req_err")
int ENTRY_PROG(icmp_error, struct request_sock *req, u32 seq, bool abort)
{
	if (aw_active)
		on_icmp_error(req, seq, abort);
	return 0;
}

SEC(ENTRY "nf_ct_attach")
int ENTRY_PROG(netfilter_answer, struct sk_buff *answer, struct sk_buff *skb)
{
	if (aw_active)
		on_netfilter_answer(answer, skb);
	return 0;
}

/* Only where the tracepoint does not tell: resets_have_reasons(). */
SEC(ENTRY "tcp_v4_send_reset")
int ENTRY_PROG(v4_send_reset, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active)
		on_reset_of_no_listener(sk, skb);
	return 0;
}

SEC(ENTRY "tcp_v6_send_reset")
int ENTRY_PROG(v6_send_reset, struct sock *sk, struct sk_buff *skb)
{
	if (aw_active)
		on_reset_of_no_listener(sk, skb);
	return 0;
}

SEC(ENTRY "__x64_sys_listen")
int ENTRY_PROG(listen_called, struct pt_regs *regs)
{
	on_listen(READ(regs, si));
	return 0;
}

#endif
