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

/* By socket cookie; by aw_listener.id where none can be made. Past the bound those forget that did
 * not accept for longest. */
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

const struct aw_waits aw_no_waits = {};

static __always_inline struct aw_waits *waits_of(struct sock *sk, __u64 cookie)
{
	__u64 key = aw_config.can_make_cookies ? cookie : listener_id(sk);
	struct aw_waits *waits = bpf_map_lookup_elem(&aw_waits, &key);

	if (waits)
		return waits;
	bpf_map_update_elem(&aw_waits, &key, &aw_no_waits, BPF_NOEXIST);
	return bpf_map_lookup_elem(&aw_waits, &key);
}

static __always_inline void count_time(__u32 *buckets, __u64 us)
{
	__u32 bucket = aw_bucket_of(us);

	if (bucket < AW_NR_BUCKETS)
		buckets[bucket] += 1;
}

static __always_inline void note_waits(struct sock *sk, __u64 cookie, struct tcp_sock *child)
{
	__u64 entered = entered_queue_us(child);
	/* tcp_synack_rtt_meas() leaves the client's answer as the first measurement. */
	__u32 handshake = READ(child, srtt_us) >> 3;
	struct aw_waits *waits;
	__u64 now, us;

	if (!entered)
		return;
	waits = waits_of(sk, cookie);
	if (!waits)
		return;
	now = bpf_ktime_get_ns() / 1000;
	us = now > entered ? now - entered : 0;
	waits->accepted += 1;
	if (us > waits->max_us)
		waits->max_us = us;
	count_time(waits->queued, us);
	if (handshake)
		count_time(waits->handshake, handshake);
}

/* One record a pair. */
static __always_inline void note_accepter(struct sock *sk, __u64 cookie, struct aw_accepter key)
{
	struct aw_process p = { .change = AW_PROCESS_ACCEPTS };
	__u8 yes = 1;

	if (bpf_map_lookup_elem(&aw_accepters, &key))
		return;
	bpf_map_update_elem(&aw_accepters, &key, &yes, BPF_ANY);
	bpf_map_update_elem(&aw_holders, &key.pid, &yes, BPF_ANY);
	p.pid = key.pid;
	p.listener = listener_id(sk);
	p.cookie = cookie;
	current_process_name(p.comm);
	report_process(&p);
}

/*
 * inet_csk_accept(): whoever calls it holds the listener, however it came by
 * it (SCM_RIGHTS, systemd, pidfd_getfd). One lookup a call, but for the pair that
 * this CPU saw last. (No other run of the program comes in between on this CPU, even where a
 * thread can be preempted here: __bpf_prog_enter_recur().)
 */
static __always_inline void on_accept(struct sock *sk, struct sock *child)
{
	__u64 cookie = READ(sk, __sk_common.skc_cookie.counter);
	struct aw_accepter pair = {
		.listener = cookie ? cookie : (__u64)sk,
		.pid = bpf_get_current_pid_tgid() >> 32,
	};
	struct aw_scratch *s = scratch();
	struct tcp_sock *tp;

	if (s && (s->accepter.listener != pair.listener || s->accepter.pid != pair.pid)) {
		s->accepter = pair;
		note_accepter(sk, cookie, pair);
	}
	if (known_null(child))
		return;
	tp = tcp_sock_of(child);
	if (tp)
		note_waits(sk, cookie, tp);
}

#endif
