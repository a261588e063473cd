/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps and globals of the programs that watch. All are of fixed size: a
 * flood from a million addresses makes none of them grow.
 */
#ifndef ACCEPTWATCH_MAPS_BPF_H
#define ACCEPTWATCH_MAPS_BPF_H

const volatile __u64 aw_ports[AW_MAX_PORT_WORDS] = {};

/* By the kernel's number of a drop reason: enum aw_drop_class. */
const volatile __u8 aw_drop_classes[AW_MAX_DROP_REASONS] = {};

/*
 * Set by user space when every program is attached, and cleared before the
 * first is detached: a bracket whose middle is missing would report a loss
 * that never was. Programs on the way of each connection ask it last: most have
 * nothing to report.
 */
bool aw_active = false;

/* A listener was closed with children to be reset: look for them in aw_closing. */
bool aw_resets_children = false;

/*
 * Records that wake nobody: how many are being written, and whether one was since user space was
 * woken (report.bpf.h). In a cache line of their own: each record reads them and some write them,
 * and aw_active is read by every program.
 */
__u64 aw_quiet_writers __attribute__((aligned(64))) = 0;
bool aw_quiet = false;

/* Where these free packets, once that was seen: refusal_by_place(). */
__u64 aw_freed_by_nf_queue __attribute__((aligned(64))) = 0;
__u64 aw_freed_by_xdp = 0;

const char aw_symbol_format[] = "%ps";

/* Ports that somebody listens on, or has listened on, in whatever network namespace. */
bool aw_listened_ports[65536] = {};

/* Occurrences whose record found no room in the ring buffer, by action. */
__u64 aw_lost[AW_NR_ACTIONS] = {};

/* Accepted connections that gave their place up to another too soon: after_accept.bpf.h. */
__u64 aw_unfollowed = 0;

/* Occurrences whose counter found no room in aw_counters. */
__u64 aw_uncounted[AW_NR_ACTIONS] = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} aw_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct aw_counter_key);
	__type(value, struct aw_counts);
} aw_counters SEC(".maps");

/* Once that is full: by namespace, for AW_OTHER_LISTENERS together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct aw_counter_key);
	__type(value, struct aw_counts);
} aw_other_counters SEC(".maps");

/* When the next record of a kind is due, by CLOCK_MONOTONIC. Of all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct aw_counter_key);
	__type(value, __u64);
} aw_paces SEC(".maps");

/*
 * By aw_listener.id: listeners whose owners nobody asked for, as user space found, and until when
 * that is taken for true (CLOCK_BOOTTIME): a descriptor may be handed on unseen.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} aw_muted SEC(".maps");

/* By aw_listener.id: those under pressure, until user space sees its end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct aw_peaks);
} aw_pressed SEC(".maps");

/* What listen() was asked for, while the thread is in it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* pid_tgid */
	__type(value, __u32);
} aw_backlogs SEC(".maps");

/* Records were held back (report.bpf.h) since user space last looked. */
bool aw_suppressing = false;

/* The listener that a thread is closing, while its queued children are reset. */
struct aw_closing {
	struct aw_listener listener;
	__u32 children; /* still to be reset */
	__u8 extra_mib; /* of each: aw_event.extra_mib */
	__u8 _pad[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* pid_tgid */
	__type(value, struct aw_closing);
} aw_closing SEC(".maps");

/*
 * The last change of a socket that has been reported: lifecycle.bpf.h. Of this socket, and not of
 * one that was at the same address and was closed unseen.
 */
struct aw_transition {
	__u64 listener; /* aw_listener.id */
	__u64 state;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* struct sock * */
	__type(value, struct aw_transition);
} aw_transitions SEC(".maps");

/* What the security module said of the SYN in progress. */
enum aw_security {
	AW_SECURITY_NOT_ASKED = 0,
	AW_SECURITY_ALLOWED,
	AW_SECURITY_REFUSED,
};

/* Who accept()ed from which listener. */
struct aw_accepter {
	__u64 listener; /* socket cookie; the address of the sock where it has none */
	__u32 pid;
	__u32 _pad;
};

/* Where some of the kernel's counters are, on one CPU: counters.bpf.h. */
struct aw_counter_addresses {
	__u64 listener; /* for whom they were looked up: its socket cookie; 0: for nobody */
	__u64 netns;	/* net_cookie */
	__u64 ipv4;	/* the listener is an IPv4 socket */
	__u64 drops;
	__u64 overflows;
	__u64 syn_floods;
	__u64 no_routes_v4;
	__u64 no_routes_v6;
};

/* What the kernel had counted on this CPU, of a listener's namespace: the low halves. */
struct aw_counted {
	__u32 drops;
	__u32 overflows;
	__u32 cookies_decided;
	__u32 syn_queue_drops;
};

/*
 * What one hook leaves for the next on the same CPU. The listen path runs with
 * bottom halves off from tcp_v4_rcv() on, so nothing of TCP comes in between.
 */
struct aw_scratch {
	/* tcp_conn_request() in progress: the listener, as it was at entry. */
	__u64 sk;
	__u64 skb;
	__u32 accept_depth;
	__u32 syn_depth;
	__u32 drops; /* the counters' low halves: note_counters() */
	__u32 no_routes;
	struct aw_counter_addresses counters;
	__u64 base;	/* pointers on their way through memory: base_of_this_cpu() */
	__u8 answered;	/* a SYN-ACK was built: only where counters cannot be read */
	__u8 cookie;	/* a cookie was made */
	__u8 security;	/* enum aw_security */
	__u8 pressure;	/* a queue is about to be full */
	__u32 sk_drops; /* of the listener, at entry */
	/* Counted by the kernel, and seen by a program: overflow_was_counted(), take_syn_flood().
	 */
	__u32 overflows;
	__u32 cookies_decided;
	__u32 syn_queue_drops;
	/* The last ACK that found the accept queue full. */
	__u64 overflow_skb;
	/* An ACK that came to a full queue, and sk_drops then: ingress.bpf.h. */
	__u64 ingress_skb;
	__u32 ingress_drops;
	__u32 _pad3;
	/* A request whose client was just sent a RST: by whom, to which port. */
	__u64 reset_sk;
	__u16 reset_port;
	/* A request without a listener that a packet has found: both_ports(), AW_MIB_.... */
	__u8 orphan_mib;
	__u8 _pad1;
	__u32 orphan_ports;
	/* The same of a child that could not be kept: ack_stage.bpf.h. */
	__u32 discarded_ports;
	__u32 _pad2;
	/* A request that an ICMP error is about to end. */
	__u64 icmp_req;
	/* When a SYN reached the packet hook: ingress.bpf.h. */
	struct aw_counted before_syn;
	__u32 always_cookies; /* tcp_syncookies is 2 */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aw_scratch);
} aw_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aw_pending_syn);
} aw_pending_syn SEC(".maps");

/* A request whose timer has run out, until its handler returns: requests.bpf.h. */
struct aw_expiring_request {
	__u64 req; /* 0: none */
	struct aw_event event;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aw_expiring_request);
} aw_expiring_request SEC(".maps");

/* Never 0: no TCP port is. */
static __always_inline __u32 both_ports(__u16 client, __u16 server)
{
	return (__u32)client << 16 | server;
}

static __always_inline struct aw_scratch *scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&aw_scratch, &zero);
}

static __always_inline struct aw_pending_syn *pending_syn(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&aw_pending_syn, &zero);
}

static __always_inline struct aw_expiring_request *expiring_request(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&aw_expiring_request, &zero);
}

/* Programs that make their events in aw_drafts; those that are attached three times have three. */
enum aw_draft_of {
	AW_DRAFT_OF_SEND_RESET,
	AW_DRAFT_OF_SKB_DROP,
	AW_DRAFT_OF_CONN_REQUEST,
	AW_DRAFT_OF_INGRESS,
	AW_DRAFT_OF_AFTER_ACCEPT,
	AW_DRAFT_OF_OPENED,
	AW_DRAFT_OF_CLOSED = AW_DRAFT_OF_OPENED + 3,
	AW_NR_DRAFTS = AW_DRAFT_OF_CLOSED + 3,
};

struct aw_draft {
	struct aw_event event; /* first: end_event() */
	__u32 busy;
	__u32 _pad;
};

/* A draft and its spare for each: report.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * AW_NR_DRAFTS);
	__type(key, __u32);
	__type(value, struct aw_draft);
} aw_drafts SEC(".maps");

static __always_inline struct aw_draft *draft(__u32 number)
{
	return bpf_map_lookup_elem(&aw_drafts, &number);
}

#endif
