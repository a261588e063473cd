/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How kernel memory is read: the one difference between the two objects that
 * are built from the same handlers.
 *
 *   direct.bpf.c  typed pointers, loaded directly. Needs no probe-read helper,
 *                 so it also runs under lockdown=confidentiality.
 *   probe.bpf.c   (AW_PROBE_READS) kprobes and raw tracepoints have untyped
 *                 arguments. Where the kernel can cast (AW_CASTS) their memory is
 *                 loaded directly, too; else each load is a call of
 *                 bpf_probe_read_kernel(), nearly a hundred instructions.
 *
 * READ(p, a, b.c, d) follows p->a->b.c->d; a NULL on the way reads as 0 in both.
 */
#ifndef ACCEPTWATCH_READ_BPF_H
#define ACCEPTWATCH_READ_BPF_H

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
 * A pointer that is loaded through a trusted one costs the verifier a search through all types of
 * the kernel, whether the new one is to be trusted as well: btf_nested_type_is_trusted(), since
 * 6fcd486b3a0a ("bpf: Refactor RCU enforcement in the verifier", 6.4). What was cast is not
 * trusted and is not searched for: the programs load in a quarter of the time.
 */
#define AW_UNTRUSTED(s) (AW_CASTS ? AW_CAST(s) : (s))
#define AW_IS_POINTER(value) (__builtin_classify_type(value) == 5)
#define AW_ARROW_1(s, a) __builtin_choose_expr(AW_IS_POINTER((s)->a), AW_UNTRUSTED(s)->a, (s)->a)
#define READ(src, ...) AW_ARROW(N, __VA_ARGS__)(src, __VA_ARGS__)
#endif

/*
 * A pointer in what a program at a function was given. The verifier does not trust the arguments
 * of functions (prog_args_trusted()), so typed programs need no cast.
 */
#ifdef AW_PROBE_READS
#define READ_ARG READ
#else
#define READ_ARG(src, member) ((src)->member)
#endif

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
