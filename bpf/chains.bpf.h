/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which chain of nf_tables drops a packet. nft_do_chain() runs for each packet that a hook sees
 * and returns the verdict of one base chain, or of those that it jumps to. Since e0d4593140b0
 * ("netfilter: make nftables drops visible in net dropmonitor", 6.7) it frees the packet itself,
 * before that nf_hook_slow() does so next. User space
 * attaches these when a firewall has dropped something, and detaches them when nothing was
 * dropped for a while: nobody pays for them as long as nothing is lost.
 *
 * nf_tables is a module on most kernels. libbpf would read the type information of all modules to
 * relocate offsets in its structs, so user space looks them up.
 */
#ifndef ACCEPTWATCH_CHAINS_BPF_H
#define ACCEPTWATCH_CHAINS_BPF_H

/* include/uapi/linux/netfilter.h */
#define NF_DROP 0
#define NF_VERDICT_MASK 0x000000ff

/* By the address of a struct nft_chain. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, AW_MAX_CHAINS);
	__type(key, __u64);
	__type(value, struct aw_chain);
} aw_chains SEC(".maps");

static __always_inline __u64 pointer_at(__u64 base, __u16 offset)
{
	__u64 pointer = 0;

	bpf_probe_read_kernel(&pointer, sizeof(pointer), (void *)(base + offset));
	return pointer;
}

/* Each time: another chain may have the memory of one that was deleted. */
static __always_inline void note_names(__u64 chain)
{
	struct aw_chain names = {};
	__u64 table = pointer_at(chain, aw_config.nft.chain_table);

	bpf_probe_read_kernel_str(names.chain, sizeof(names.chain),
				  (void *)pointer_at(chain, aw_config.nft.chain_name));
	bpf_probe_read_kernel_str(names.table, sizeof(names.table),
				  (void *)pointer_at(table, aw_config.nft.table_name));
	bpf_map_update_elem(&aw_chains, &chain, &names, BPF_ANY);
}

static __always_inline void note_unknown_names(__u64 chain)
{
	if (!bpf_map_lookup_elem(&aw_chains, &chain))
		note_names(chain);
}

/* The sections are of our own: probes/netfilter.cpp says which function they mean. */
SEC("fentry_of_module/nft_do_chain")
int chain_entered(__u64 *ctx)
{
	struct aw_chain_run *run = chain_run();

	if (!run)
		return 0;
	/* A chain that rejects sends an answer, which another chain may see. */
	run->outer_skb = run->skb;
	run->outer_chain = run->chain;
	run->skb = pointer_at(ctx[0], aw_config.nft.pktinfo_skb);
	run->chain = ctx[1];
	note_unknown_names(ctx[1]);
	return 0;
}

SEC("fexit_of_module/nft_do_chain")
int chain_left(__u64 *ctx)
{
	struct aw_chain_run *run = chain_run();

	if (!run || ((__u32)ctx[2] & NF_VERDICT_MASK) == NF_DROP)
		return 0;
	run->skb = run->outer_skb;
	run->chain = run->outer_chain;
	run->outer_skb = 0;
	return 0;
}

#endif
