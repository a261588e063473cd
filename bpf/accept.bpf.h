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
struct aw_accepter {
	__u64 listener; /* socket cookie; the sock's address before 5.12 */
	__u32 pid;
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct aw_accepter);
	__type(value, __u8);
} aw_accepters SEC(".maps");

const struct aw_waits aw_no_waits = {};

static __always_inline struct aw_waits *waits_of(struct sock *sk)
{
	__u64 key = aw_config.can_make_cookies ? READ(sk, __sk_common.skc_cookie.counter)
					       : listener_id(sk);
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

/* tcp_synack_rtt_meas() leaves the client's answer as the first measurement. */
static __always_inline __u32 handshake_us(struct sock *child)
{
	struct tcp_sock *tp = tcp_sock_of(child);

	return tp ? READ(tp, srtt_us) >> 3 : 0;
}

static __always_inline void note_waits(struct sock *sk, struct sock *child)
{
	struct aw_waits *waits = waits_of(sk);
	__u64 entered = entered_queue_us(child);
	__u64 now = bpf_ktime_get_ns() / 1000;
	__u64 us = now > entered ? now - entered : 0;
	__u32 handshake = handshake_us(child);

	if (!waits || !entered)
		return;
	waits->accepted += 1;
	if (us > waits->max_us)
		waits->max_us = us;
	count_time(waits->queued, us);
	if (handshake)
		count_time(waits->handshake, handshake);
}

/*
 * The pair in one word, which a preempting thread replaces as a whole. 0: a pair
 * that does not fit; cookies are counted up from 1, on each CPU in blocks.
 */
static __always_inline __u64 accepter_word(__u64 cookie, __u32 pid)
{
	return cookie >> 32 || !cookie ? 0 : cookie << 32 | pid;
}

/*
 * inet_csk_accept(): whoever calls it holds the listener, however it came by
 * it (SCM_RIGHTS, systemd, pidfd_getfd). One lookup a call, but for the pair that
 * this CPU saw last; one record a pair.
 */
static __always_inline void on_accept(struct sock *sk)
{
	struct aw_accepter key = {
		.listener = READ(sk, __sk_common.skc_cookie.counter),
		.pid = bpf_get_current_pid_tgid() >> 32,
	};
	struct aw_process p = { .change = AW_PROCESS_ACCEPTS };
	struct aw_scratch *s = scratch();
	__u64 word = accepter_word(key.listener, key.pid);
	__u8 yes = 1;

	if (!s || (word && s->accepter == word))
		return;
	s->accepter = word;
	if (!key.listener)
		key.listener = (__u64)sk;
	if (bpf_map_lookup_elem(&aw_accepters, &key))
		return;
	bpf_map_update_elem(&aw_accepters, &key, &yes, BPF_ANY);
	bpf_map_update_elem(&aw_holders, &key.pid, &yes, BPF_ANY);
	p.pid = key.pid;
	p.listener = listener_id(sk);
	p.cookie = READ(sk, __sk_common.skc_cookie.counter);
	current_process_name(p.comm);
	report_process(&p);
}

#endif
