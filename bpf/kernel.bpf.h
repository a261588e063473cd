/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where kernels differ: one accessor each, with the commit that made the difference and the
 * release that it came with. Which of two ways a kernel has, user space finds out by looking
 * (aw_config, or a relocation): distributions backport.
 */
#ifndef ACCEPTWATCH_KERNEL_BPF_H
#define ACCEPTWATCH_KERNEL_BPF_H

/*
 * A pointer may be given a type: a35b9af4ec2c ("bpf: Add a kfunc for generic type cast", 6.2).
 * Helpers do not take what was cast.
 */
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

#define AW_CASTS (aw_config.packet_access == AW_PACKETS_CAST)
#define AW_CAST(s) ((typeof(s))bpf_rdonly_cast((void *)(s), bpf_core_type_id_kernel(typeof(*(s)))))

#include "read.bpf.h"

/*
 * Whether an argument of a tracepoint is NULL. Verifiers since 6.2 took such arguments for
 * non-NULL: they removed a test for 0 (is_branch_taken()), and the load behind it had no fault
 * handler. cb4158ce8ec8 ("bpf: Mark raw_tp arguments with PTR_MAYBE_NULL", 6.13, backported) and
 * 838a10bd2ebf, which replaced it, ask for the test instead. A test for "greater than 0" was never
 * removed; since a compiler turns it into a test for 0, it is written in assembly. Those that ask
 * for a test know only the one for 0: callers have both.
 */
static __always_inline bool known_null(const void *pointer)
{
	bool null;

	asm volatile("%[null] = 0\n"
		     "if %[pointer] > 0 goto +1\n"
		     "%[null] = 1\n"
		     : [null] "=&r"(null)
		     : [pointer] "r"(pointer));
	return null;
}

/* A tcp_sock behind a full sock; NULL where it is none. Without casts (6.2) a helper knows: 5.9. */
static __always_inline struct tcp_sock *tcp_sock_of(struct sock *sk)
{
#ifdef AW_PROBE_READS
#ifdef AW_MEETS_MPTCP
	if (READ(sk, sk_protocol) != IPPROTO_TCP)
		return NULL;
#endif
	/* Programs on the listen path meet nothing else, and a read costs. */
	return (struct tcp_sock *)sk;
#else
	/* A plain cast is refused: "access beyond struct sock". */
	if (AW_CASTS)
		return sk->sk_protocol == IPPROTO_TCP ? AW_CAST((struct tcp_sock *)sk) : NULL;
	return bpf_skc_to_tcp_sock(sk);
#endif
}

/* The same for a socket that only TCP can have handed to the caller: its protocol is not read. */
static __always_inline struct tcp_sock *as_tcp_sock(struct sock *sk)
{
#ifndef AW_PROBE_READS
	if (AW_CASTS)
		return AW_CAST((struct tcp_sock *)sk);
#endif
	return tcp_sock_of(sk);
}

/*
 * The value that a function returned: fexit has it behind the function's arguments, whose number
 * differs. (The verifier refuses an index that is not a constant: barrier_var() keeps two loads.)
 */
static __always_inline __u64 returned_after(unsigned long long *ctx, bool fewer, int few, int many)
{
	__u64 value;

	if (fewer) {
		value = ctx[few];
		barrier_var(value);
	} else {
		value = ctx[many];
		barrier_var(value);
	}
	return value;
}

/*
 * tcp_v4_syn_recv_sock() and its IPv6 twin. A seventh argument: 858d2a4f67ff ("tcp: fix potential
 * race in tcp_v6_syn_recv_sock()", 7.0, backported to 6.18).
 */
static __always_inline bool child_refused(unsigned long long *ctx)
{
	return !returned_after(ctx, aw_config.syn_recv_sock_args == 6, 6, 7);
}

/*
 * inet_csk_accept(). Three of its arguments became one: 92ef0fd55ac8 ("net: change proto and
 * proto_ops accept type", 6.10).
 */
static __always_inline struct sock *accepted_socket(unsigned long long *ctx)
{
	return (struct sock *)returned_after(ctx, aw_config.accept_args == 2, 2, 4);
}

/*
 * inet_csk_listen_start(). Its second argument went away: e7049395b1c3 ("dccp/tcp: Remove an unused
 * argument in inet_csk_listen_start()", 5.17).
 */
static __always_inline bool listen_failed(unsigned long long *ctx)
{
	return (int)returned_after(ctx, aw_config.listen_start_args == 1, 1, 2);
}

/*
 * tcp:tcp_send_reset has a reason, b533fb9cf4f7 ("rstreason: make it work in trace world"), and is
 * there for each RST, 19822a980e19 ("trace: tcp: fully support trace_tcp_send_reset"): both 6.10.
 * Before, it tells only of full sockets; tcp_v4_send_reset() and its IPv6 twin, or skb:kfree_skb,
 * tell of the others.
 */
static __always_inline bool resets_have_reasons(void)
{
	return aw_config.send_reset_args >= 3;
}

static __always_inline __u32 reset_reason(unsigned long long *ctx)
{
	return resets_have_reasons() ? (__u32)ctx[2] : 0;
}

/* tcp_check_req() ends a request: for an overflow (tcp_abort_on_overflow), too. */
static __always_inline bool says_invalid_syn(__u32 reason)
{
	return reason == bpf_core_enum_value(enum sk_rst_reason, SK_RST_REASON_INVALID_SYN);
}

/*
 * skb:kfree_skb has a reason: c504e5c2f964 ("net: skb: introduce kfree_skb_reason()", 5.17), and
 * the socket that the packet was for: c53795d48ee8 ("net: add rx_sk to trace_kfree_skb", 6.11).
 * tracepoints.bpf.h has a program for each. The accept path gives a reason of its own since
 * a11a791ca81e ("tcp: add four drop reasons to tcp_check_req()", 6.15); before, it is
 * NOT_SPECIFIED.
 */
static __always_inline bool overflow_has_a_reason(void)
{
	return bpf_core_enum_value_exists(enum skb_drop_reason,
					  SKB_DROP_REASON_TCP_LISTEN_OVERFLOW);
}

/*
 * A number that no other network namespace has, or had. 0: it is made when somebody asks for it,
 * before 3d368ab87cf6 ("net: initialize net->net_cookie at netns setup", 5.12).
 */
static __always_inline __u64 netns_cookie(struct net *net)
{
	return bpf_core_field_exists(net->net_cookie) ? READ(net, net_cookie) : 0;
}

/*
 * Connections of a closed listener may go on at another one of its SO_REUSEPORT group: 5.14, with
 * f9ac779f881c ("net: Introduce net.ipv4.tcp_migrate_req.") and 55d444b310c6.
 */
static __always_inline bool connections_can_migrate(void)
{
	return bpf_core_field_exists(struct netns_ipv4, sysctl_tcp_migrate_req);
}

/* Four raw bytes: of a packet, say. They have no type that could be followed. */
static __always_inline __u32 read_raw_u32(__u64 address)
{
	__u32 value = 0;

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

/*
 * The low byte of what became a u16: 2c2f08d31d2f ("tcp: extend TCP flags to allow AE bit/ACE
 * field").
 */
static __always_inline __u8 tcp_flags_of(struct sk_buff *skb)
{
	return READ_TCP_CB(__u8, skb, tcp_flags);
}

/*
 * subflow_v4_route_req() and its twin refuse a SYN that wants to be one more path of a
 * connection (MP_JOIN), before there is a request. subflow_add_reset_reason() leaves a note
 * on the packet, where a SYN has nothing else of MPTCP: dc87efdb1a5c ("mptcp: add mptcp reset
 * option support", 5.13).
 */
static __always_inline bool refused_by_mptcp(struct sk_buff *syn)
{
	if (!bpf_core_enum_value_exists(enum skb_ext_id___mptcp, SKB_EXT_MPTCP))
		return false;
	return READ(syn, active_extensions) &
	       (1u << bpf_core_enum_value(enum skb_ext_id___mptcp, SKB_EXT_MPTCP));
}

/*
 * How long ago the last packet of a connection came, in milliseconds. Of TIME_WAIT, when it
 * began: 19ce8cd30465 ("tcp: Measure TIME-WAIT reuse delay with millisecond precision", 6.14).
 */
static __always_inline __u32 age_of_connection(struct sock *sk, __u8 state)
{
	struct tcp_sock *tp;

	if (state == TCP_TIME_WAIT) {
		const __u64 stamp = (__u64)sk + bpf_core_field_offset(struct inet_timewait_sock,
								      tw_entry_stamp);

		if (!bpf_core_field_exists(struct inet_timewait_sock, tw_entry_stamp) ||
		    aw_config.packet_access == AW_PACKETS_UNREADABLE)
			return AW_NO_AGE;
		return (__u32)(bpf_ktime_get_ns() / 1000000) - read_raw_u32(stamp);
	}
	tp = tcp_sock_of(sk);
	if (!tp || !aw_config.hz)
		return AW_NO_AGE;
	/* tcp_jiffies32 */
	return ((__u32)bpf_jiffies64() - READ(tp, rcv_tstamp)) * 1000ull / aw_config.hz;
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

struct aw_ending {
	__u32 flags; /* PF_... */
	__u32 exit_code;
};

/*
 * How the current thread ends, if it does. do_exit() notes the code before exit_files(), whose
 * descriptors are closed in exit_task_work(). False: it cannot be read.
 */
static __always_inline bool read_ending(struct aw_ending *ending)
{
#ifndef AW_PROBE_READS
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *typed = bpf_get_current_task_btf();

		ending->flags = typed->flags;
		ending->exit_code = (__u32)typed->exit_code;
		return true;
	}
	if (aw_config.packet_access != AW_PACKETS_PROBE_READ)
		return false;
#endif
	struct task_struct *task = (void *)bpf_get_current_task();

	ending->flags = BPF_CORE_READ(task, flags);
	ending->exit_code = (__u32)BPF_CORE_READ(task, exit_code);
	return true;
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
 * Without casts a helper makes one of a plain TCP request; it returns NULL for one of MPTCP, whose
 * head is the same.
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
 * NULL where typed programs cannot follow it: it shares its place with an integer, and there are
 * no casts.
 */
static __always_inline struct sock *listener_of(struct request_sock *req)
{
#ifdef AW_PROBE_READS
	return READ(req, __req_common.skc_listener);
#else
	return AW_CASTS ? AW_CAST(req->__req_common.skc_listener) : NULL;
#endif
}

/* A request whose address an earlier program kept. NULL: a typed program without casts. */
static __always_inline struct request_sock *request_at(__u64 address)
{
#ifdef AW_PROBE_READS
	return (struct request_sock *)address;
#else
	return AW_CASTS ? AW_CAST((struct request_sock *)address) : NULL;
#endif
}

/*
 * inet_rsk(req)->acked: the client's ACK came, and was not used. Reads as 0 where it
 * is not known: of MPTCP where memory may not be read (lockdown=confidentiality without casts).
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
