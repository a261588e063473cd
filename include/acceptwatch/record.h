/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The wire format: what the BPF programs write into the ring buffer and the
 * counter map, and user space reads. One header for both worlds: C11 for BPF,
 * C++20 for user space. Fixed widths, explicit padding; a unit test compares
 * each offset with the BTF of the built objects.
 *
 * The includer provides __u8 .. __u64 (vmlinux.h or <linux/types.h>).
 */
#ifndef ACCEPTWATCH_RECORD_H
#define ACCEPTWATCH_RECORD_H

#ifdef __cplusplus
#define AW_STATIC_ASSERT static_assert
#else
#define AW_STATIC_ASSERT _Static_assert
#endif

#include "acceptwatch/histogram.h"

#define AW_COMM_LEN 16
#define AW_DEVICE_LEN 16 /* IFNAMSIZ */
#define AW_ADDRESS_LEN 16

/* Which tier saw it: the values of acceptwatch.source. */
enum aw_source {
	AW_SOURCE_FENTRY = 1,
	AW_SOURCE_KPROBE = 2,
	AW_SOURCE_TRACEPOINT = 3,
	AW_SOURCE_POLL = 4,
};

enum aw_action {
	AW_ACTION_NONE = 0,
	AW_LISTEN_DROP,
	AW_SYNCOOKIE_SENT,
	AW_SYNACK_RETRANSMIT,
	AW_RESET_SENT,
	AW_HANDSHAKE_EXPIRED,
	AW_RESET_RECEIVED,
	AW_LISTENER_OPENED,
	AW_LISTENER_CLOSED,
	AW_CLOSED_AFTER_ACCEPT, /* --after-accept */
	AW_QUEUE_PRESSURE,	/* its begin; user space sees the end */
	AW_ACCEPT_STALLED,	/* made by user space, like the next: no program sends them */
	AW_FINDING,
	AW_NR_ACTIONS,
};

enum aw_reason {
	AW_REASON_NONE = 0,
	/* listen_drop, and syncookie_sent for the first of the SYN queue's */
	AW_ACCEPT_QUEUE_FULL,
	AW_SYN_QUEUE_FULL,
	AW_SYN_BACKLOG_RESERVED,
	AW_REQUEST_FAILED,
	AW_COOKIE_INVALID,
	AW_FIREWALL,
	AW_SOCKET_FILTER,
	AW_AUTHENTICATION,
	AW_SECURITY_MODULE,
	AW_NO_ROUTE,
	AW_MEMORY,
	AW_NETFILTER_QUEUE,
	AW_TRAFFIC_CONTROL,
	AW_XDP,
	AW_CGROUP_PROGRAM,
	AW_REVERSE_PATH,
	AW_NOT_LOCAL,
	AW_ROUTE_LOCALNET,
	AW_NEIGHBOUR,
	AW_CHECKSUM,
	AW_CPU_BACKLOG,
	AW_OLD_CONNECTION,
	AW_TIMESTAMPS,
	AW_WINDOW,
	AW_OTHER,
	/* syncookie_sent */
	AW_ALWAYS,
	/* synack_retransmit, handshake_expired */
	AW_NO_ACK,
	AW_ACK_DROPPED,
	AW_DEFERRED,
	/* reset_sent */
	AW_NO_LISTENER,
	AW_ABORT_ON_OVERFLOW,
	AW_CLOSED_LISTENER,
	AW_HANDSHAKE_INVALID,
	/* reset_received */
	AW_IN_HANDSHAKE,
	AW_WHEN_QUEUED,
	/* both resets, --all-resets */
	AW_WHEN_ACCEPTED,
	/* listener_closed */
	AW_CLOSED,
	AW_EXITED,
	AW_KILLED,
	AW_SHUT_DOWN,
	/* closed_after_accept */
	AW_UNREAD,
	AW_RESET,
	AW_UNSERVED,
	AW_TURNED_AWAY,
	AW_PROCESS_FAILED,
	AW_NR_REASONS,
};

enum aw_stage {
	AW_STAGE_NONE = 0,
	AW_STAGE_SYN,
	AW_STAGE_SYNACK, /* this host's answer, that never left it */
	AW_STAGE_ACK,
	AW_STAGE_COOKIE,
	AW_STAGE_QUEUED,
	AW_STAGE_CLOSED,
	AW_NR_STAGES,
};

/* Where netfilter dropped a packet, as far as that can be told. */
enum aw_hook {
	AW_HOOK_UNKNOWN = 0,
	AW_HOOK_INGRESS,
	AW_HOOK_PREROUTING,
	AW_HOOK_INPUT,
	AW_HOOK_FORWARD,
	AW_HOOK_OUTPUT,
	AW_HOOK_POSTROUTING,
	AW_NR_HOOKS,
};

/*
 * What a drop reason of the kernel (enum skb_drop_reason) says of a packet of a handshake: an
 * enum aw_reason of listen_drop, or one of these. User space makes a table of them from the running
 * kernel's enum.
 */
enum aw_drop_class {
	AW_DROP_IGNORED = AW_REASON_NONE,
	AW_DROP_OVERFLOW = 0x80, /* TCP_LISTEN_OVERFLOW: tcp_v4_syn_recv_sock() made no child */
	AW_DROP_UNSPECIFIED,	 /* NOT_SPECIFIED: all else that tcp_check_req() drops */
	AW_DROP_NO_REASON, /* NOT_SPECIFIED where functions tell of what tcp_check_req() drops */
	AW_DROP_NO_SOCKET, /* NO_SOCKET: a closed port; with a listener, an ACK with a cookie */
};

/* Which enum of the running kernel aw_event.kernel_reason is a number of. */
enum aw_reason_space {
	AW_NO_KERNEL_REASON = 0,
	AW_SKB_DROP_REASON,
	AW_SK_RST_REASON,
};

enum aw_record_kind {
	AW_RECORD_EVENT = 1,   /* struct aw_event */
	AW_RECORD_PROCESS = 2, /* struct aw_process */
	AW_RECORD_HOLDER = 3,  /* struct aw_holder, from the seeding iterator */
};

struct aw_header {
	__u16 size;  /* of the whole record, this header included, in bytes */
	__u8 kind;   /* enum aw_record_kind */
	__u8 source; /* enum aw_source */
	__u32 cpu;
	__u64 boot_ns; /* CLOCK_BOOTTIME */
};

/*
 * A listener at one instant. `id` names it for as long as it lives: its socket
 * inode where it has one (so that /proc and sock_diag name it too), else the
 * address of its struct sock, which is never a valid inode number.
 */
struct aw_listener {
	__u64 id;
	__u64 cookie; /* 0: none was given to it yet */
	/*
	 * When the connection that has waited longest entered the accept queue:
	 * CLOCK_MONOTONIC in microseconds; 0: none waits, or it is not known.
	 */
	__u64 head_us;
	__u32 netns;		      /* inode of its network namespace */
	__u32 accept_depth;	      /* sk_ack_backlog: connections waiting for accept() */
	__u32 accept_limit;	      /* sk_max_ack_backlog: what listen() asked for, capped */
	__u32 syn_depth;	      /* requests in SYN_RECV */
	__u32 syn_limit;	      /* what this kernel tests syn_depth against */
	__u16 family;		      /* AF_INET or AF_INET6, of the socket */
	__u16 port;		      /* host order */
	__u8 address[AW_ADDRESS_LEN]; /* IPv4 in the first four bytes */
};

/* The two ends, as the packet saw them. */
struct aw_endpoints {
	__u8 server_address[AW_ADDRESS_LEN]; /* IPv4 in the first four bytes */
	__u8 client_address[AW_ADDRESS_LEN];
	__u16 server_port; /* host order */
	__u16 client_port;
	__u16 family; /* AF_INET, AF_INET6, or 0: not known */
	__u16 _pad;
};

/* aw_event.flags: which parts hold something. */
#define AW_HAS_LISTENER (1 << 0)     /* listener: who it is */
#define AW_HAS_ACCEPT_QUEUE (1 << 1) /* listener.accept_depth, .accept_limit */
#define AW_HAS_SYN_QUEUE (1 << 2)    /* listener.syn_depth, .syn_limit */
#define AW_HAS_ADDRESSES (1 << 3)    /* ends: both addresses and client_port */
#define AW_HAS_PORT (1 << 4)	     /* ends.server_port */
#define AW_HAS_BACKLOG (1 << 5)	     /* backlog */
#define AW_SINCE_ACCEPT (1 << 6)     /* age_us; else since the handshake */
#define AW_IS_PASSING (1 << 7)	     /* on its way through this host: no listener of this host's */

#define AW_HAS_ALL_OF_LISTENER (AW_HAS_LISTENER | AW_HAS_ACCEPT_QUEUE | AW_HAS_SYN_QUEUE)
#define AW_HAS_ENDS (AW_HAS_ADDRESSES | AW_HAS_PORT)

/*
 * aw_event.extra_mib: counters of the kernel (/proc/net/netstat) that the same packet or
 * connection has moved, where action, reason and stage do not tell.
 */
#define AW_MIB_REQQFULLDOCOOKIES (1 << 0) /* TCPReqQFullDoCookies */
#define AW_MIB_EMBRYONICRSTS (1 << 1)	  /* EmbryonicRsts */
#define AW_MIB_MIGRATEREQFAILURE (1 << 2) /* TCPMigrateReqFailure */

struct aw_event {
	struct aw_header header;
	struct aw_listener listener;
	struct aw_endpoints ends;
	__u8 action; /* enum aw_action */
	__u8 reason; /* enum aw_reason */
	__u8 stage;  /* enum aw_stage */
	__u8 retry;  /* of a synack_retransmit: 1 for the first */
	__u8 flags;
	__u8 hook;	     /* enum aw_hook */
	__u8 reason_space;   /* enum aw_reason_space */
	__u8 extra_mib;	     /* AW_MIB_... */
	__u32 kernel_reason; /* number in that enum */
	__u32 pid;	     /* of an open or a close: the task that did it */
	__u32 backlog;	     /* listener_opened: what listen() was asked for, before any cap */
	__u32 old_ms;	     /* old_connection: since its last packet; AW_NO_AGE: not known */
	__u64 chain;	     /* firewall: the nf_tables chain, a key of aw_chains; 0: not known */
	__u8 comm[AW_COMM_LEN];
	__u8 device[AW_DEVICE_LEN]; /* of a packet that was refused on its way; empty: none */
	__u64 old_inode; /* old_connection: its socket's; 0: it has none, or is not known */
	__u8 old_state;	 /* old_connection: of the kernel's enum (TCP_ESTABLISHED is 1); 0: none */
	__u8 _pad;
	__u16 nat_port; /* where netfilter sends what is sent to `ends`, host order; 0: nowhere else
			 */
	__u32 exit_code;		  /* of a close by a process that ends: as wait(2) has it */
	__u8 nat_address[AW_ADDRESS_LEN]; /* of nat_port; of ends.family */
	/* closed_after_accept; bytes are as many as a number holds, if there were more. */
	__u32 age_us;
	__u32 bytes_read; /* by the owner, before it closed */
	__u32 bytes_unread;
	__u32 bytes_sent; /* that it wrote */
	__u64 number;	  /* of those accepted on that port since the start; 0: not known */
};

#define AW_NO_AGE (~0u)

/*
 * Tier tracepoint: what is going to happen to a SYN that the packet hook has seen, by the depths
 * of its listener's queues. It is reported when the SYN has been freed.
 */
struct aw_pending_syn {
	__u64 skb; /* 0: none */
	__u64 sk;  /* the listener */
	struct aw_event event;
};

enum aw_process_change {
	AW_PROCESS_FORK = 1, /* pid is the child, other_pid its parent */
	AW_PROCESS_EXEC,
	AW_PROCESS_RENAME,
	AW_PROCESS_EXIT,
	AW_PROCESS_ACCEPTS, /* pid's thread other_pid calls accept() on listener */
};

struct aw_process {
	struct aw_header header;
	__u64 listener; /* aw_listener.id, of AW_PROCESS_ACCEPTS */
	__u64 cookie;
	__u64 start_ns; /* of AW_PROCESS_FORK: when pid was started, CLOCK_BOOTTIME */
	__u32 pid;
	__u32 other_pid;
	__u32 change;	 /* enum aw_process_change */
	__u32 exit_code; /* of AW_PROCESS_EXIT: as wait(2) has it */
	__u8 comm[AW_COMM_LEN];
};

/* One descriptor of one process that refers to a listening socket. */
struct aw_holder {
	struct aw_header header;
	struct aw_listener listener;
	__u64 start_ns; /* when the process was started, CLOCK_BOOTTIME */
	__u32 pid;
	__u32 fd;
	__u8 comm[AW_COMM_LEN];
	/* From the iterator only, like the queues in listener. */
	__u32 drops;	       /* sk_drops */
	__u32 somaxconn;       /* of its network namespace, as the next two */
	__u32 max_syn_backlog; /* net.ipv4.tcp_max_syn_backlog */
	__u8 syncookies;       /* net.ipv4.tcp_syncookies: 0, 1, 2 */
	__u8 reuseport;	       /* 1: in an SO_REUSEPORT group */
	__u16 _pad;
};

/* An nf_tables chain that dropped a packet, by the kernel's own names. */
#define AW_CHAIN_LEN 32
struct aw_chain {
	__u8 table[AW_CHAIN_LEN];
	__u8 chain[AW_CHAIN_LEN];
};

/* In aw_counter_key.listener: those that had no room for a counter of their own. */
#define AW_OTHER_LISTENERS (~0ull)

/* Counter maps: one exact number for each of these, per CPU. */
struct aw_counter_key {
	__u64 listener; /* aw_listener.id; 0: none; or AW_OTHER_LISTENERS */
	__u32 netns;
	__u8 action;
	__u8 reason;
	__u8 stage;
	__u8 extra_mib; /* of the event: the audit needs it */
};

struct aw_counts {
	__u64 occurrences; /* all of them */
	__u64 suppressed;  /* of these, those without a record of their own */
};

/* Of a listener, or of several that share it: the key of the count of arrivals. */
struct aw_place {
	__u32 netns; /* inode of the network namespace */
	__u16 port;  /* host order */
	__u16 _pad;
};

/*
 * How full the queues of a listener became since a depth passed the share of its limit:
 * the greatest depths that a SYN found.
 */
struct aw_peaks {
	__u32 accept;
	__u32 syn;
};

/*
 * Times of the connections that accept() returned, per CPU and listener (its socket's
 * cookie). The buckets are those of histogram.h, in microseconds.
 */
struct aw_waits {
	__u64 accepted; /* the sum of queued */
	__u64 max_us;	/* of queued */
	/* From the end of the handshake until accept() returned the connection. */
	__u32 queued[AW_NR_BUCKETS];
	/* From the SYN-ACK to the client's ACK; of those that were sent once. */
	__u32 handshake[AW_NR_BUCKETS];
};

/*
 * The times of one listener on one CPU, where they are at hand: one of AW_NR_WAITS_SLOTS.
 * Those of listeners that have none there are in a hash table.
 */
struct aw_waits_slot {
	__u64 listener;	   /* its key in the hash table; 0: nobody's */
	__u32 pid;	   /* whose accept() was the last */
	__u32 passed_over; /* how often it was another listener's turn since */
	__u32 moved;	   /* how often the times were moved to the hash table */
	__u32 _pad;
	struct aw_waits waits;
};

#define AW_NR_WAITS_SLOTS 64

/* Keys are numbers that the kernel gives one after the other, in batches by CPU. */
static inline __u64 aw_waits_slot_of(__u64 key)
{
	return (key * 0x9E3779B97F4A7C15ull) >> 58;
}

AW_STATIC_ASSERT(sizeof(struct aw_header) == 16, "aw_header");
AW_STATIC_ASSERT(sizeof(struct aw_listener) == 64, "aw_listener");
AW_STATIC_ASSERT(sizeof(struct aw_endpoints) == 40, "aw_endpoints");
AW_STATIC_ASSERT(sizeof(struct aw_event) == 240, "aw_event");
AW_STATIC_ASSERT(sizeof(struct aw_pending_syn) == 256, "aw_pending_syn");
AW_STATIC_ASSERT(sizeof(struct aw_process) == 72, "aw_process");
AW_STATIC_ASSERT(sizeof(struct aw_chain) == 64, "aw_chain");
AW_STATIC_ASSERT(sizeof(struct aw_holder) == 128, "aw_holder");
AW_STATIC_ASSERT(sizeof(struct aw_counter_key) == 16, "aw_counter_key");
AW_STATIC_ASSERT(sizeof(struct aw_counts) == 16, "aw_counts");
AW_STATIC_ASSERT(sizeof(struct aw_place) == 8, "aw_place");
AW_STATIC_ASSERT(sizeof(struct aw_peaks) == 8, "aw_peaks");
AW_STATIC_ASSERT(sizeof(struct aw_waits) == 448, "aw_waits");
AW_STATIC_ASSERT(sizeof(struct aw_waits_slot) == 472, "aw_waits_slot");

#endif /* ACCEPTWATCH_RECORD_H */
