/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The configuration block: user space fills it before the programs are loaded,
 * the verifier then treats it as constants and removes what is switched off.
 */
#ifndef ACCEPTWATCH_CONFIG_H
#define ACCEPTWATCH_CONFIG_H

#include "acceptwatch/record.h"

/* How packet headers (raw bytes behind skb->head) can be read. */
enum aw_packet_access {
	AW_PACKETS_UNREADABLE = 0, /* lockdown=confidentiality, and no casts */
	AW_PACKETS_PROBE_READ,	   /* bpf_probe_read_kernel() */
	AW_PACKETS_CAST,	   /* bpf_rdonly_cast() */
};

#define AW_MAX_PORT_WORDS (65536 / 64)

/* Drop reasons of the running kernel that can be looked up: enum skb_drop_reason. */
#define AW_MAX_DROP_REASONS 256

/* Whose stacks are looked at at once, and how much of each: stacks.bpf.h. */
#define AW_MAX_STACK_PIDS 16
#define AW_MAX_FRAMES 12

/* Ports at which arrivals are counted at the same time: arrivals.bpf.h. */
#define AW_MAX_METERED 64

/* Chains of nf_tables that are known by name at the same time. */
#define AW_MAX_CHAINS 256

/* Where in the structs of nf_tables, in bytes: chains.bpf.h. */
struct aw_nft_offsets {
	__u16 pktinfo_skb;
	__u16 chain_table;
	__u16 chain_name;
	__u16 table_name;
};

struct aw_config {
	__u8 source;		/* enum aw_source, stamped on every record */
	__u8 packet_access;	/* enum aw_packet_access */
	__u8 syn_full_at_limit; /* see struct aw_syn_facts */
	__u8 can_make_cookies;	/* bpf_get_socket_cookie() in tracing */
	/* How many arguments the running kernel's prototypes have: kernel.bpf.h. */
	__u8 syn_recv_sock_args;    /* 6, 7; 0: it is not hooked */
	__u8 send_reset_args;	    /* tp tcp_send_reset: 2, 3 */
	__u8 kfree_skb_args;	    /* tp kfree_skb: 2, 3, 4 */
	__u8 listen_start_args;	    /* inet_csk_listen_start(): 1, 2 */
	__u8 sees_security_module;  /* security_inet_conn_request() is hooked */
	__u8 counter_access;	    /* enum aw_packet_access, of counters.bpf.h */
	__u8 sees_dropped_requests; /* inet_csk_reqsk_queue_drop() is hooked */
	__u8 pressure_percent;	    /* of its limit, a depth is reported; 0: none is */
	__u8 accept_args;	    /* inet_csk_accept(): 2, 4 */
	__u8 all_resets;	    /* of connections that were accepted, too */
	__u8 filters_owners;	    /* listeners may be in aw_muted */
	__u8 misses_closes;	    /* no program sees a listener's end */
	/* Filters. 0: any. */
	__u16 family;
	__u16 filter_ports; /* 1: only ports whose bit is set in aw_ports */
	__u32 netns;
	__u32 actions; /* bit (1 << enum aw_action); never 0 */
	__u32 hz;      /* ticks of jiffies in a second */
	__u32 pace_ns; /* time between records of one kind; 0: all are sent */
	/* The running kernel's numbers of counters. */
	__u16 listen_drops;  /* LINUX_MIB_LISTENDROPS */
	__u16 no_routes;     /* IPSTATS_MIB_OUTNOROUTES */
	__u16 syn_floods;    /* LINUX_MIB_TCPREQQFULLDOCOOKIES */
	__u8 after_accept;   /* what owners close within a moment is told: after_accept.bpf.h */
	__u8 sees_overflows; /* programs see all that the kernel counts in ListenOverflows */
	struct aw_nft_offsets nft;
};

AW_STATIC_ASSERT(sizeof(struct aw_config) == 52, "aw_config");

#endif /* ACCEPTWATCH_CONFIG_H */
