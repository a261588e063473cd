/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting first, then the record. The count is exact whatever happens to the
 * record: a full ring buffer shows in aw_lost, a full counter map in
 * aw_uncounted.
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

/* The filters that can be decided here; the rest needs the owner's name. */
static __always_inline bool wanted(enum aw_action action, __u16 family, __u32 netns, __u16 port)
{
	if (!(aw_config.actions & (1u << action)))
		return false;
	/* An IPv6 listener may serve IPv4: its owner is needed all the same. */
	if (aw_config.family && family && aw_config.family != family &&
	    action != AW_LISTENER_OPENED && action != AW_LISTENER_CLOSED)
		return false;
	if (aw_config.netns && aw_config.netns != netns)
		return false;
	if (aw_config.filter_ports &&
	    !(aw_ports[(port >> 6) & (AW_MAX_PORT_WORDS - 1)] & (1ull << (port & 63))))
		return false;
	return true;
}

static __always_inline void count(const struct aw_event *e)
{
	struct aw_counter_key key = {
		.listener = e->listener.id,
		.netns = e->listener.netns,
		.action = e->action,
		.reason = e->reason,
		.stage = e->stage,
	};
	__u64 *value = bpf_map_lookup_elem(&aw_counters, &key);

	if (!value) {
		const __u64 zero = 0;

		bpf_map_update_elem(&aw_counters, &key, &zero, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&aw_counters, &key);
	}
	if (value)
		*value += 1;
	else if (e->action < AW_NR_ACTIONS)
		__sync_fetch_and_add(&aw_uncounted[e->action], 1);
}

static __always_inline void report(struct aw_event *e)
{
	__u16 family = e->ends.family ? e->ends.family : e->listener.family;
	__u16 port = e->flags & AW_HAS_PORT ? e->ends.server_port : e->listener.port;

	if (!wanted(e->action, family, e->listener.netns, port))
		return;
	count(e);
	fill_header(&e->header, AW_RECORD_EVENT, sizeof(*e));
	if (bpf_ringbuf_output(&aw_records, e, sizeof(*e), 0) && e->action < AW_NR_ACTIONS)
		__sync_fetch_and_add(&aw_lost[e->action], 1);
}

/* An event of a listener that is there to be read. */
static __always_inline void report_at(struct sock *sk, struct aw_event *e,
				      const struct aw_syn_facts *facts)
{
	describe_listener(sk, facts, e->reason, socket_cookie(sk), &e->listener);
	e->flags |= AW_HAS_ALL_OF_LISTENER;
	report(e);
}

#endif
