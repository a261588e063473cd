/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where kernels differ: one accessor each, with what made the difference.
 */
#ifndef ACCEPTWATCH_KERNEL_BPF_H
#define ACCEPTWATCH_KERNEL_BPF_H

/* Four raw bytes: of a packet, say. They have no type that could be followed. */
static __always_inline __u32 read_raw_u32(__u64 address)
{
	__u32 value = 0;

	/* kfunc, 6.2: fd264ca02094 ("bpf: Add a kfunc to type cast") */
	if (AW_CASTS)
		return AW_CAST((struct in6_addr *)address)->in6_u.u6_addr32[0];
	if (aw_config.packet_access == AW_PACKETS_PROBE_READ)
		bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* The control block: unlike the packet it is readable everywhere. */
static __always_inline const void *skb_cb(struct sk_buff *skb, __u32 offset)
{
#ifdef AW_PROBE_READS
	return (const void *)skb + bpf_core_field_offset(struct sk_buff, cb) + offset;
#else
	return (const __u8 *)skb->cb + offset;
#endif
}

#ifdef AW_PROBE_READS
#define READ_CB(type, skb, offset)                                                                 \
	({                                                                                         \
		type _value = 0;                                                                   \
		bpf_probe_read_kernel(&_value, sizeof(_value), skb_cb(skb, offset));               \
		_value;                                                                            \
	})
#else
#define READ_CB(type, skb, offset) (*(const type *)skb_cb(skb, offset))
#endif

/* struct tcp_skb_cb as tcp_v4_fill_cb() / tcp_v6_fill_cb() filled it. */
#define READ_TCP_CB(type, skb, field)                                                              \
	READ_CB(type, skb, bpf_core_field_offset(struct tcp_skb_cb, field))

/* The low byte of a u16 since 6.18 (AccECN). */
static __always_inline __u8 tcp_flags_of(struct sk_buff *skb)
{
	return READ_TCP_CB(__u8, skb, tcp_flags);
}

/*
 * subflow_v4_route_req() and its twin refuse a SYN that wants to be one more path of a
 * connection (MP_JOIN), before there is a request. subflow_add_reset_reason() leaves a note
 * on the packet, where a SYN has nothing else of MPTCP.
 */
static __always_inline bool refused_by_mptcp(struct sk_buff *syn)
{
	if (!bpf_core_enum_value_exists(enum skb_ext_id___mptcp, SKB_EXT_MPTCP))
		return false;
	return READ(syn, active_extensions) &
	       (1u << bpf_core_enum_value(enum skb_ext_id___mptcp, SKB_EXT_MPTCP));
}

/* Data or a FIN. */
static __always_inline bool tcp_carries_data(struct sk_buff *skb)
{
	return READ_TCP_CB(__u32, skb, seq) != READ_TCP_CB(__u32, skb, end_seq);
}

/*
 * The leader of the current thread's group carries the process's name. Empty where
 * it cannot be had: then user space asks /proc.
 */
static __always_inline void current_process_name(__u8 *comm)
{
#ifdef AW_PROBE_READS
	struct task_struct *leader =
		READ((struct task_struct *)bpf_get_current_task(), group_leader);

	read_comm(comm, leader);
#else
	/* bpf_get_current_task_btf(): 5.11, 3ca1032ab7ab. */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *task = bpf_get_current_task_btf();

		read_comm(comm, task->group_leader);
		return;
	}
	if (aw_config.packet_access == AW_PACKETS_PROBE_READ) {
		struct task_struct *task = (void *)bpf_get_current_task();

		task = BPF_CORE_READ(task, group_leader);
		BPF_CORE_READ_INTO((char(*)[AW_COMM_LEN])comm, task, comm);
	} else {
		__u64 thread = bpf_get_current_pid_tgid();

		if (thread >> 32 == (__u32)thread)
			bpf_get_current_comm(comm, AW_COMM_LEN);
	}
#endif
}

/*
 * The cookie that `ss -e` shows. It is made when somebody first asks; typed
 * programs can ask since 5.12 (c5dbb89fc2ac), probe reads only look.
 */
static __always_inline __u64 socket_cookie(struct sock *sk)
{
#ifndef AW_PROBE_READS
	if (aw_config.can_make_cookies)
		return bpf_get_socket_cookie(sk);
#endif
	return READ(sk, __sk_common.skc_cookie.counter);
}

/*
 * Where the kernel has no cast (6.2) a helper makes one of a plain TCP request: it returns
 * NULL for one of MPTCP, whose head is the same.
 */
static __always_inline struct tcp_request_sock *tcp_request_of(void *req)
{
	if (AW_CASTS)
		return AW_CAST((struct tcp_request_sock *)req);
#ifdef AW_PROBE_READS
	return req;
#else
	return bpf_skc_to_tcp_request_sock(req);
#endif
}

/*
 * NULL where typed programs cannot follow it: it shares its place with an integer, and
 * the kernel has no cast (6.2). Helpers do not take what was cast.
 */
static __always_inline struct sock *listener_of(struct request_sock *req)
{
#ifdef AW_PROBE_READS
	return READ(req, __req_common.skc_listener);
#else
	return AW_CASTS ? AW_CAST(req->__req_common.skc_listener) : NULL;
#endif
}

/*
 * inet_rsk(req)->acked: the client's ACK came, and was not used. Reads as 0 where it
 * is not known: of MPTCP where memory may not be read (lockdown=confidentiality before 6.2).
 */
static __always_inline bool request_acked(struct request_sock *req)
{
	struct tcp_request_sock *treq;

	if (aw_config.packet_access == AW_PACKETS_PROBE_READ) {
		treq = (void *)req;
		return BPF_CORE_READ_BITFIELD_PROBED(&treq->req, acked);
	}
	treq = tcp_request_of(req);
	return treq && BPF_CORE_READ_BITFIELD(&treq->req, acked);
}

#endif
