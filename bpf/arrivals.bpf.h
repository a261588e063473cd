/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many connections enter the accept queues of some ports: for tiers that do not see
 * accept(). User space attaches this while connections wait, and detaches it afterwards: a
 * tracepoint that fires five times a connection costs nothing as long as nobody is at it.
 */
#ifndef ACCEPTWATCH_ARRIVALS_BPF_H
#define ACCEPTWATCH_ARRIVALS_BPF_H

/* Only ports that user space has entered are counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, AW_MAX_METERED);
	__type(key, struct aw_place);
	__type(value, __u64);
} aw_arrivals SEC(".maps");

/*
 * The last ACK has made a socket, which is in the queue (tcp_check_req()), and is now processed
 * as its first packet (tcp_child_process()). It does not tell which listener it is a child of;
 * several may share a port. With Fast Open it may have been accepted since its SYN.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(arrived, struct sock *sk, int old_state, int new_state)
{
	struct aw_place place = {};
	__u64 *count;

	if (old_state != TCP_SYN_RECV || new_state != TCP_ESTABLISHED)
		return 0;
	place.netns = READ(sk, __sk_common.skc_net.net, ns.inum);
	place.port = READ(sk, __sk_common.skc_num);
	count = bpf_map_lookup_elem(&aw_arrivals, &place);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

#endif
