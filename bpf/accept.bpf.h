/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What accept() shows, in tier fentry: who holds the listener, how long connections wait for
 * it, and how long their handshakes took. Each connection has both times with it; so nothing
 * is kept from one hook to the next, and a cookie or Fast Open makes no difference.
 *
 * No kprobe does this: while the handler of one runs in a thread, a packet may come in on that
 * CPU, and every kprobe that it meets is passed over (kprobe_ftrace_handler()). On a busy server
 * that would be a part of all losses.
 */
#ifndef ACCEPTWATCH_ACCEPT_BPF_H
#define ACCEPTWATCH_ACCEPT_BPF_H

/*
 * Times by listener: its socket cookie, or its inode number where cookies cannot be made. When the
 * table is full, the listener whose last accept() was longest ago loses its times.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 512);
	__type(key, __u64);
	__type(value, struct aw_waits);
} aw_waits SEC(".maps");

/* (listener, process) pairs whose accept() user space has been told of. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct aw_accepter);
	__type(value, __u8);
} aw_accepters SEC(".maps");

/* The few listeners that are accepted from on this CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, AW_NR_WAITS_SLOTS);
	__type(key, __u32);
	__type(value, struct aw_waits_slot);
} aw_waits_slots SEC(".maps");

/*
 * Threads that were in accept() when `accepted` was attached, by pid_tgid, and the key in aw_waits
 * of their listener: the exit of a function is seen of calls that began after that. User space
 * fills it in (probes/early_accepts.h). 0: the thread has called accept() since.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} aw_early_accepts SEC(".maps");

/* User space has filled it in. */
bool aw_early_accepts_known = false;

const struct aw_waits aw_no_waits = {};

static __always_inline struct aw_waits *waits_of(__u64 key)
{
	struct aw_waits *waits = bpf_map_lookup_elem(&aw_waits, &key);

	if (waits)
		return waits;
	bpf_map_update_elem(&aw_waits, &key, &aw_no_waits, BPF_NOEXIST);
	return bpf_map_lookup_elem(&aw_waits, &key);
}

static __always_inline void add_waits(struct aw_waits *sum, const struct aw_waits *more)
{
	sum->accepted += more->accepted;
	if (more->max_us > sum->max_us)
		sum->max_us = more->max_us;
	for (int i = 0; i < AW_NR_BUCKETS; i++) {
		sum->queued[i] += more->queued[i];
		sum->handshake[i] += more->handshake[i];
	}
}

/* In a row: of a listener that is closed, or has little to do. */
#define AW_PASSED_OVER_OFTEN 16

/* False: it stays another listener's. */
static __always_inline bool take_slot(struct aw_waits_slot *slot, __u64 key)
{
	struct aw_waits *sum;

	if (slot->listener) {
		slot->passed_over += 1;
		if (slot->passed_over < AW_PASSED_OVER_OFTEN)
			return false;
		sum = waits_of(slot->listener);
		if (sum)
			add_waits(sum, &slot->waits);
		slot->moved += 1;
		__builtin_memset(&slot->waits, 0, sizeof(slot->waits));
	}
	slot->listener = key;
	slot->pid = 0;
	return true;
}

static __always_inline void count_time(__u32 *buckets, __u64 us)
{
	__u32 bucket;

	/* Else the compiler tests what it was made from, which tells the verifier nothing. */
	barrier_var(us);
	bucket = aw_bucket_of(us);
	if (bucket < AW_NR_BUCKETS)
		buckets[bucket] += 1;
}

/* `then`: in microseconds of CLOCK_MONOTONIC, as tcp_clock_us() has it. */
static __always_inline __u64 us_since(__u64 then)
{
	const __u64 ns = bpf_ktime_get_ns() - then * 1000;

	if (ns >> 32) /* or less than 0 */
		return (__s64)ns < 0 ? 0 : ns / 1000;
	/* A division takes ten instructions: 274877907 / 2^38 is 1/1000 for all that has 32 bits.
	 */
	return ns * 274877907 >> 38;
}

static __always_inline void note_waits(struct aw_waits *waits, struct tcp_sock *child)
{
	__u64 entered = entered_queue_us(child);
	/* tcp_synack_rtt_meas() leaves the client's answer as the first measurement. */
	__u32 handshake = READ(child, srtt_us) >> 3;
	__u64 us;

	if (!entered)
		return;
	us = us_since(entered);
	waits->accepted += 1;
	if (us > waits->max_us)
		waits->max_us = us;
	count_time(waits->queued, us);
	if (handshake)
		count_time(waits->handshake, handshake);
}

/* One record a pair. */
static __always_inline void note_accepter(struct sock *sk, __u64 cookie, __u64 thread)
{
	__u32 pid = thread >> 32;
	struct aw_accepter key = { .listener = cookie ? cookie : (__u64)sk, .pid = pid };
	struct aw_process p = { .change = AW_PROCESS_ACCEPTS };
	__u8 yes = 1;

	if (bpf_map_lookup_elem(&aw_accepters, &key))
		return;
	bpf_map_update_elem(&aw_accepters, &key, &yes, BPF_ANY);
	bpf_map_update_elem(&aw_holders, &key.pid, &yes, BPF_ANY);
	p.pid = key.pid;
	p.other_pid = (__u32)thread;
	p.listener = listener_id(sk);
	p.cookie = cookie;
	current_process_name(p.comm);
	report_process(&p);
}

/*
 * inet_csk_accept(): whoever calls it holds the listener, however it came by it (SCM_RIGHTS,
 * systemd, pidfd_getfd). A hash table is looked up where the listener has no slot, or another
 * process accepts than before. (No other run of the program comes in between on this CPU, even
 * where a thread can be preempted here: __bpf_prog_enter_recur().)
 */
static __always_inline void on_accept(struct sock *sk, struct sock *child)
{
	__u64 cookie = READ(sk, __sk_common.skc_cookie.counter);
	__u64 key = aw_config.can_make_cookies ? cookie : listener_inode(sk);
	__u32 number = aw_waits_slot_of(key);
	struct aw_waits_slot *slot = bpf_map_lookup_elem(&aw_waits_slots, &number);
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 pid = thread >> 32;
	struct aw_waits *waits = NULL;
	struct tcp_sock *tp;

	if (!slot || !key)
		return;
	/* DCCP accepts by the same function. Whoever has a slot was asked before. */
	if (slot->listener != key && READ(sk, sk_protocol) != IPPROTO_TCP)
		return;
	if (slot->listener == key || take_slot(slot, key)) {
		slot->passed_over = 0;
		waits = &slot->waits;
	}
	if (!waits || slot->pid != pid) {
		note_accepter(sk, cookie, thread);
		if (waits)
			slot->pid = pid;
	}
	if (!child)
		return;
	tp = as_tcp_sock(child);
	if (!waits && tp)
		waits = waits_of(key);
	if (waits && tp)
		note_waits(waits, tp);
}

/* inet_csk_accept(): an earlier call of this thread has returned. */
static __always_inline void on_accept_entered(void)
{
	__u64 thread = bpf_get_current_pid_tgid(), since = 0;

	if (aw_early_accepts_known)
		bpf_map_delete_elem(&aw_early_accepts, &thread);
	else
		bpf_map_update_elem(&aw_early_accepts, &thread, &since, BPF_ANY);
}

/*
 * security_sock_graft(): accept() gives the child to the socket that its caller is to have. That
 * follows inet_csk_accept() in the same thread, so it is seen of calls that began before.
 */
static __always_inline void on_accept_left(struct sock *child)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *key = bpf_map_lookup_elem(&aw_early_accepts, &thread);
	struct tcp_sock *tp = as_tcp_sock(child);
	struct aw_waits *waits;

	if (!key || !*key || !tp)
		return;
	waits = waits_of(*key);
	if (waits)
		note_waits(waits, tp);
	bpf_map_delete_elem(&aw_early_accepts, &thread);
}

#endif
