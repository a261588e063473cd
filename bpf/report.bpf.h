/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting first, then the record. The count is exact whatever happens to the
 * record: past the rate it is held back, which user space sees from the counters; a
 * full ring buffer shows in aw_lost, a full counter map in aw_uncounted.
 */
#ifndef ACCEPTWATCH_REPORT_BPF_H
#define ACCEPTWATCH_REPORT_BPF_H

static __always_inline void fill_header(struct aw_header *header, __u8 kind, __u16 size)
{
	header->size = size;
	header->kind = kind;
	header->source = aw_config.source;
	header->cpu = bpf_get_smp_processor_id();
	header->boot_ns = bpf_ktime_get_boot_ns();
}

static __always_inline bool is_lifecycle(enum aw_action action)
{
	return action == AW_LISTENER_OPENED || action == AW_LISTENER_CLOSED;
}

/* In a thread: write_quietly(). */
static __always_inline bool is_made_in_thread(enum aw_action action)
{
	return is_lifecycle(action) || action == AW_CLOSED_AFTER_ACCEPT;
}

/* Filters by process and cgroup: user space decides, and remembers it here for a while. */
static __always_inline bool is_muted(const struct aw_event *e)
{
	__u64 *until;

	if (!aw_config.filters_owners || is_lifecycle(e->action))
		return false;
	until = bpf_map_lookup_elem(&aw_muted, &e->listener.id);
	return until && bpf_ktime_get_boot_ns() < *until;
}

static __always_inline bool is_filter_port(__u16 port)
{
	return aw_ports[(port >> 6) & (AW_MAX_PORT_WORDS - 1)] & (1ull << (port & 63));
}

/*
 * The filters that need no owner. `nat_port`: where what is sent to that port is sent to; or 0,
 * which nobody asks for.
 */
static __always_inline bool wanted(enum aw_action action, __u16 family, __u32 netns, __u16 port,
				   __u16 nat_port)
{
	if (!(aw_config.actions & (1u << action)))
		return false;
	/* An IPv6 listener may serve IPv4: its owner is needed all the same. */
	if (aw_config.family && family && aw_config.family != family && !is_lifecycle(action))
		return false;
	if (aw_config.netns && aw_config.netns != netns)
		return false;
	if (aw_config.filter_ports && !is_filter_port(port) && !is_filter_port(nat_port))
		return false;
	return true;
}

static __always_inline struct aw_counter_key key_of(const struct aw_event *e)
{
	struct aw_counter_key key = {
		.listener = e->listener.id,
		.netns = e->listener.netns,
		.action = e->action,
		.reason = e->reason,
		.stage = e->stage,
		.extra_mib = e->extra_mib,
	};

	return key;
}

/* Returns NULL where there is no room for another counter. */
static __always_inline struct aw_counts *counts_in(void *map, const struct aw_counter_key *key)
{
	struct aw_counts *counts = bpf_map_lookup_elem(map, key);
	const struct aw_counts zero = {};

	if (counts)
		return counts;
	bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

/* The key becomes that under which it is counted. */
static __always_inline struct aw_counts *count(struct aw_counter_key *key)
{
	struct aw_counts *counts = counts_in(&aw_counters, key);

	if (!counts) {
		key->listener = AW_OTHER_LISTENERS;
		counts = counts_in(&aw_other_counters, key);
	}
	if (counts)
		counts->occurrences += 1;
	else if (key->action < AW_NR_ACTIONS)
		__sync_fetch_and_add(&aw_uncounted[key->action], 1);
	return counts;
}

#define AW_BURST_NS 1000000000ull

/* Of what comes by and mostly concerns nobody (a bridge), one record a second will do. */
static __always_inline __u64 pace_of(const struct aw_counter_key *key)
{
	return key->reason == AW_NOT_LOCAL ? AW_BURST_NS : aw_config.pace_ns;
}

/*
 * More than the rate: a second's worth may come at once, then each record has to wait
 * for its turn. CPUs that look at the same moment may both send, which harms nothing.
 */
static __always_inline bool beyond_rate(const struct aw_counter_key *key)
{
	const __u64 pace = pace_of(key);
	__u64 now, first, *due;

	if (!aw_config.pace_ns)
		return false;
	now = bpf_ktime_get_ns();
	due = bpf_map_lookup_elem(&aw_paces, key);
	if (!due || *due < now) {
		first = now + pace;
		bpf_map_update_elem(&aw_paces, key, &first, BPF_ANY);
		return false;
	}
	if (*due + pace > now + AW_BURST_NS)
		return true;
	__sync_fetch_and_add(due, pace);
	return false;
}

/*
 * A record wakes user space up, by an interrupt that the kernel sends to this CPU
 * at once. In a thread that means being preempted in the middle of the program,
 * which the kernel then does not run for another thread (lifecycle.bpf.h). So
 * records that are made in threads are quiet. By itself a record only wakes a
 * reader that has caught up; one that follows a quiet one has to insist.
 *
 * Whether it does is asked after it was written: a quiet one of another CPU that
 * came before it has either been noted by then, or is still counted as being
 * written. (Both are orderly: bpf_ringbuf_commit() and the additions are full
 * barriers.)
 */
static __always_inline long write_quietly(void *record, __u64 size)
{
	long error;

	__sync_fetch_and_add(&aw_quiet_writers, 1);
	error = bpf_ringbuf_output(&aw_records, record, size, BPF_RB_NO_WAKEUP);
	aw_quiet = true;
	__sync_fetch_and_add(&aw_quiet_writers, -1);
	return error;
}

static __always_inline void wake_user_space(void)
{
	void *nothing = bpf_ringbuf_reserve(&aw_records, sizeof(__u64), 0);

	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

static __always_inline long write_and_wake(void *record, __u64 size)
{
	long error = bpf_ringbuf_output(&aw_records, record, size, 0);

	if (aw_quiet_writers || aw_quiet) {
		aw_quiet = false;
		wake_user_space();
	}
	return error;
}

/*
 * An event that is made in a map: what is in there the verifier does not follow. With one on the
 * stack it goes through report() anew for each way that leads there, more than a third of all
 * that it did. NULL: neither the program's draft nor its spare is free.
 *
 * The spare is for an interrupt that has a program at a tracepoint run in the middle of itself:
 * before 05b24ff9b2cf ("bpf: Prevent bpf program recursion for raw tracepoint probes", 6.1). What
 * else comes in between is another program.
 */
static __always_inline struct aw_event *begin_event(__u32 program)
{
	struct aw_draft *d = draft(2 * program);

	if (d && d->busy)
		d = draft(2 * program + 1);
	if (!d || d->busy) {
		__sync_fetch_and_add(&aw_lost[AW_ACTION_NONE], 1);
		return NULL;
	}
	d->busy = 1;
	barrier();
	__builtin_memset(&d->event, 0, sizeof(d->event));
	return &d->event;
}

static __always_inline void end_event(struct aw_event *e)
{
	barrier();
	((struct aw_draft *)e)->busy = 0;
}

/*
 * The verifier goes through a copy of this for each place that calls it. So a program that tells
 * several things has one such place: describe_*() fill the event in, and say whether it is to be
 * told.
 */
static __always_inline void report(struct aw_event *e)
{
	__u16 family = e->ends.family ? e->ends.family : e->listener.family;
	__u16 port = e->flags & AW_HAS_PORT ? e->ends.server_port : e->listener.port;
	struct aw_counter_key key;
	struct aw_counts *counts;
	__u8 source;
	long failed;

	if (!wanted(e->action, family, e->listener.netns, port, e->nat_port) || is_muted(e))
		return;
	key = key_of(e);
	counts = count(&key);
	if (counts && !is_lifecycle(e->action) && beyond_rate(&key)) {
		counts->suppressed += 1;
		aw_suppressing = true;
		return;
	}
	source = e->header.source;
	fill_header(&e->header, AW_RECORD_EVENT, sizeof(*e));
	if (source)
		e->header.source = source; /* one that stands in for a better one */
	if (is_made_in_thread(e->action))
		failed = write_quietly(e, sizeof(*e));
	else
		failed = write_and_wake(e, sizeof(*e));
	if (failed && e->action < AW_NR_ACTIONS)
		__sync_fetch_and_add(&aw_lost[e->action], 1);
}

/* An event of a listener that is there to be read. */
static __always_inline void describe_at(struct sock *sk, struct aw_event *e,
					const struct aw_syn_facts *facts)
{
	describe_listener(sk, facts, e->reason, socket_cookie(sk), &e->listener);
	e->flags |= AW_HAS_ALL_OF_LISTENER;
}

static __always_inline void report_at(struct sock *sk, struct aw_event *e,
				      const struct aw_syn_facts *facts)
{
	describe_at(sk, e, facts);
	report(e);
}

static __always_inline void report_request(struct sock *sk, struct request_sock *req,
					   struct aw_event *e, const struct aw_syn_facts *facts)
{
	ends_of_request(req, &e->ends);
	e->flags = AW_HAS_ENDS;
	report_at(sk, e, facts);
}

/* The same of a listener from listener_of(), to be reported or not. */
static __always_inline void describe_request(struct sock *sk, struct request_sock *req,
					     struct aw_event *e, const struct aw_syn_facts *facts)
{
	__u64 cookie = READ(sk, __sk_common.skc_cookie.counter);

	ends_of_request(req, &e->ends);
	describe_listener(sk, facts, e->reason, cookie, &e->listener);
	e->flags = AW_HAS_ENDS | AW_HAS_ALL_OF_LISTENER;
}

#endif
