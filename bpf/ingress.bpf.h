/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The SYN stage where nothing but tracepoints can be had: a cgroup_skb/ingress
 * program runs in tcp_filter(), just before the kernel looks at the queues, and
 * foresees what tcp_conn_request() will do from the same numbers. It sees what
 * the sockets below its cgroup receive.
 */
#ifndef ACCEPTWATCH_INGRESS_BPF_H
#define ACCEPTWATCH_INGRESS_BPF_H

#define TCP_HEADER_FLAGS 13
#define IPV6_HEADER_LEN 40

/* Returns the TCP header's offset, or 0: no TCP that could be parsed. */
static __always_inline __u32 ends_of_ingress(struct __sk_buff *skb, struct aw_endpoints *ends)
{
	__be16 ports[2];
	__u32 tcp;
	__u8 version;

	if (bpf_skb_load_bytes(skb, 0, &version, sizeof(version)))
		return 0;
	if (version >> 4 == 4) {
		ends->family = AF_INET;
		tcp = (version & 0xf) * 4;
		if (bpf_skb_load_bytes(skb, IPV4_SOURCE, ends->client_address, 4) ||
		    bpf_skb_load_bytes(skb, IPV4_SOURCE + 4, ends->server_address, 4))
			return 0;
	} else {
		ends->family = AF_INET6;
		tcp = IPV6_HEADER_LEN;
		if (bpf_skb_load_bytes(skb, IPV6_SOURCE, ends->client_address, 16) ||
		    bpf_skb_load_bytes(skb, IPV6_SOURCE + 16, ends->server_address, 16))
			return 0;
	}
	if (bpf_skb_load_bytes(skb, tcp, ports, sizeof(ports)))
		return 0;
	ends->client_port = bpf_ntohs(ports[0]);
	ends->server_port = bpf_ntohs(ports[1]);
	return tcp;
}

/*
 * The state of the socket that this very packet belongs to. The hook shows the
 * listener for a request's packets too: a SYN that comes twice is answered by
 * its request (tcp_check_req), however full the queues are.
 */
static __always_inline int state_of_connection(struct __sk_buff *skb,
					       const struct aw_endpoints *ends)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *found;
	int state = TCP_CLOSE;

	if (ends->family == AF_INET) {
		tuple.ipv4.saddr = *(__u32 *)ends->client_address;
		tuple.ipv4.daddr = *(__u32 *)ends->server_address;
		tuple.ipv4.sport = bpf_htons(ends->client_port);
		tuple.ipv4.dport = bpf_htons(ends->server_port);
		found = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, ends->client_address, 16);
		__builtin_memcpy(tuple.ipv6.daddr, ends->server_address, 16);
		tuple.ipv6.sport = bpf_htons(ends->client_port);
		tuple.ipv6.dport = bpf_htons(ends->server_port);
		found = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (found) {
		state = found->state;
		bpf_sk_release(found);
	}
	return state;
}

/* What tcp_conn_request() will do; AW_ACTION_NONE: answer as always. */
static __always_inline void foresee(struct aw_syn_facts *facts, struct aw_event *e)
{
	e->reason = aw_syn_drop_reason(facts);
	if (e->reason != AW_REQUEST_FAILED) {
		e->action = AW_LISTEN_DROP;
		return;
	}
	e->reason = aw_cookie_reason(facts);
	if (e->reason != AW_REASON_NONE)
		e->action = AW_SYNCOOKIE_SENT;
}

static __always_inline void on_ingress(struct __sk_buff *skb)
{
	struct aw_event e = { .stage = AW_STAGE_SYN };
	struct aw_syn_facts facts = {};
	struct tcp_sock *tp;
	struct sock *sk;
	__u32 tcp;
	__u8 flags;
	int state;

	if (!skb->sk || skb->sk->state != TCP_LISTEN)
		return;
	tp = bpf_skc_to_tcp_sock(skb->sk);
	if (!tp)
		return;
	sk = (struct sock *)tp;
	read_syn_facts(sk, &facts);
	foresee(&facts, &e);
	if (e.action == AW_ACTION_NONE)
		return;
	tcp = ends_of_ingress(skb, &e.ends);
	if (!tcp || bpf_skb_load_bytes(skb, tcp + TCP_HEADER_FLAGS, &flags, sizeof(flags)))
		return;
	if ((flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST | TCP_FLAG_FIN)) != TCP_FLAG_SYN)
		return;
	state = state_of_connection(skb, &e.ends);
	if (state == TCP_NEW_SYN_RECV)
		return;
	/* A SYN that reopens a TIME_WAIT connection is asked about nothing else. */
	if (state == TCP_TIME_WAIT && e.reason != AW_ACCEPT_QUEUE_FULL)
		return;
	e.flags = AW_HAS_ALL_OF_LISTENER | AW_HAS_ENDS;
	describe_listener(sk, &facts, e.reason, bpf_get_socket_cookie(skb), &e.listener);
	report(&e);
}

#endif
