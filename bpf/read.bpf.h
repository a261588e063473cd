/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How kernel memory is read: the one difference between the two objects that
 * are built from the same handlers.
 *
 *   direct.bpf.c  typed pointers, loaded directly. Needs no probe-read helper,
 *                 so it also runs under lockdown=confidentiality.
 *   probe.bpf.c   (AW_PROBE_READS) kprobes and raw tracepoints have untyped
 *                 arguments: every load is a bpf_probe_read_kernel().
 *
 * READ(p, a, b.c, d) follows p->a->b.c->d; a NULL on the way reads as 0 in both. A probe
 * read is a call, and nearly a hundred instructions with it; where the kernel can cast (6.2),
 * untyped programs load directly as well.
 */
#ifndef ACCEPTWATCH_READ_BPF_H
#define ACCEPTWATCH_READ_BPF_H

extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

#define AW_CASTS (aw_config.packet_access == AW_PACKETS_CAST)
#define AW_CAST(s) ((typeof(s))bpf_rdonly_cast((void *)(s), bpf_core_type_id_kernel(typeof(*(s)))))
#define AW_ARROW_2(s, a, b) (AW_UNTRUSTED(s)->a->b)
#define AW_ARROW_3(s, a, b, c) (AW_UNTRUSTED(s)->a->b->c)
#define AW_ARROW_4(s, a, b, c, d) (AW_UNTRUSTED(s)->a->b->c->d)
#define AW_ARROW_N(_1, _2, _3, _4, N, ...) AW_ARROW_##N
#define AW_ARROW(N, ...) AW_ARROW_N(__VA_ARGS__, 4, 3, 2, 1)

#ifdef AW_PROBE_READS
#define AW_UNTRUSTED(s) AW_CAST(s)
#define AW_ARROW_1(s, a) (AW_UNTRUSTED(s)->a)
#define READ(src, ...)                                                                             \
	(AW_CASTS ? AW_ARROW(N, __VA_ARGS__)(src, __VA_ARGS__) : BPF_CORE_READ(src, __VA_ARGS__))
#else
/*
 * For each pointer that is loaded through a trusted one, verifiers since 6.4 search all
 * types of the kernel for a name that would make it trusted as well, and find none:
 * btf_nested_type_is_trusted(). Through a cast, which is not trusted, they do not:
 * loading the programs takes a quarter of the time.
 */
#define AW_UNTRUSTED(s) (AW_CASTS ? AW_CAST(s) : (s))
#define AW_IS_POINTER(value) (__builtin_classify_type(value) == 5)
#define AW_ARROW_1(s, a) __builtin_choose_expr(AW_IS_POINTER((s)->a), AW_UNTRUSTED(s)->a, (s)->a)
#define READ(src, ...) AW_ARROW(N, __VA_ARGS__)(src, __VA_ARGS__)
#endif

/* A tcp_sock behind a full sock; NULL where it is none. */
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

/* The same of what TCP alone can have handed over: not asked where it need not be. */
static __always_inline struct tcp_sock *as_tcp_sock(struct sock *sk)
{
#ifndef AW_PROBE_READS
	if (AW_CASTS)
		return AW_CAST((struct tcp_sock *)sk);
#endif
	return tcp_sock_of(sk);
}

/*
 * A tracepoint argument that may be NULL. From 6.2 until "bpf: Mark raw_tp arguments
 * with PTR_MAYBE_NULL" (6.13, backported), the verifier took such pointers for
 * non-NULL, removed the program's test and loaded without a fault handler. It removes
 * equality with 0 only, is_branch_taken(); compilers make that of any other test.
 * Later verifiers ask for a test that they know as well.
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

/* 16 bytes of an IPv6 address. `member` is a struct in6_addr inside *src. */
#ifdef AW_PROBE_READS
#define READ_IN6(dst, src, member) BPF_CORE_READ_INTO((struct in6_addr *)(dst), src, member)
#else
#define READ_IN6(dst, src, member)                                                                 \
	do {                                                                                       \
		__u32 *_to = (__u32 *)(dst);                                                       \
		_to[0] = (src)->member.in6_u.u6_addr32[0];                                         \
		_to[1] = (src)->member.in6_u.u6_addr32[1];                                         \
		_to[2] = (src)->member.in6_u.u6_addr32[2];                                         \
		_to[3] = (src)->member.in6_u.u6_addr32[3];                                         \
	} while (0)
#endif

/* The 16 bytes of a task's name. */
static __always_inline void read_comm(__u8 *dst, struct task_struct *task)
{
#ifdef AW_PROBE_READS
	BPF_CORE_READ_INTO((char(*)[AW_COMM_LEN])dst, task, comm);
#else
	__builtin_memcpy(dst, task->comm, AW_COMM_LEN);
#endif
}

#endif
