/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each object includes first, and has a share in. */
#ifndef ACCEPTWATCH_COMMON_BPF_H
#define ACCEPTWATCH_COMMON_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

/* UAPI macros, which BTF does not carry. */
#define AF_INET 2
#define AF_INET6 10
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD

/* Counters and addresses are taken apart as bytes: packet.bpf.h, counters.bpf.h. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written for little-endian machines");
_Static_assert(sizeof(unsigned long) == 8, "written for 64-bit kernels");

/* include/net/sock.h */
#define RCV_SHUTDOWN 1

#include "acceptwatch/record.h"
#include "acceptwatch/config.h"
#include "acceptwatch/decide.h"

/* Filled by user space before loading: constants for the verifier. */
const volatile struct aw_config aw_config = {};

/* Nothing else brings these into the object's BTF, which a test compares. */
const struct aw_process *aw_process_type __attribute__((unused));
const struct aw_holder *aw_holder_type __attribute__((unused));
const struct aw_chain *aw_chain_type __attribute__((unused));

/* Processes that hold a listener: whose fork, exec and exit matter. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u8);
} aw_holders SEC(".maps");

/*
 * The packet that a chain of nf_tables is evaluating on this CPU, or has just dropped: then it is
 * on its way to skb:kfree_skb. See chains.bpf.h.
 */
struct aw_chain_run {
	__u64 skb;
	__u64 chain;
	__u64 outer_skb;
	__u64 outer_chain;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct aw_chain_run);
} aw_chain_runs SEC(".maps");

static __always_inline struct aw_chain_run *chain_run(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&aw_chain_runs, &zero);
}

#endif
