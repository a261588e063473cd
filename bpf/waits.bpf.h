/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long connections wait for accept(), and how long their handshakes took. Each has
 * both times with it; so nothing is kept from one hook to the next, and a cookie or Fast
 * Open makes no difference.
 */
#ifndef ACCEPTWATCH_WAITS_BPF_H
#define ACCEPTWATCH_WAITS_BPF_H

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

#endif
