/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel counts itself, of one namespace on this CPU. Bottom halves are off
 * on the listen path, so what is counted between two looks was counted by the call
 * that they bracket.
 *
 * A counter's address is found with this_cpu_off, which has to be in the kernel's type information
 * (not on 5.10), and there memory has to be readable: by a cast (6.2), or by a probe read, which
 * lockdown=confidentiality forbids.
 */
#ifndef ACCEPTWATCH_COUNTERS_BPF_H
#define ACCEPTWATCH_COUNTERS_BPF_H

extern const unsigned long this_cpu_off __ksym __weak;

/* What per-CPU pointers are relative to. */
static __always_inline __u64 base_of_this_cpu(void)
{
	return *(const unsigned long *)bpf_this_cpu_ptr(&this_cpu_off);
}

/* `counters`: a per-CPU pointer to an array of 64-bit counters. */
static __always_inline void note_counter(struct aw_counter *c, __u64 base, const void *counters,
					 __u32 number)
{
	/* Through memory: typed programs may not calculate with pointers. */
	*(volatile __u64 *)&c->address = (__u64)counters;
	c->address = base + *(volatile __u64 *)&c->address + 8 * number;
	c->value = read_raw_u32(c->address);
}

static __always_inline bool has_moved(const struct aw_counter *c)
{
	return read_raw_u32(c->address) != c->value;
}

/* tcp_listendrop() */
static __always_inline void note_listen_drops(struct aw_counter *c, __u64 base, struct net *net)
{
	note_counter(c, base, READ(net, mib.net_statistics), aw_config.listen_drops);
}

/* inet_csk_route_req(), ip6_dst_lookup_tail() */
static __always_inline void note_no_routes(struct aw_counter *c, __u64 base, struct net *net,
					   struct sk_buff *skb)
{
	const void *counters = READ(skb, protocol) == bpf_htons(ETH_P_IP)
				       ? READ(net, mib.ip_statistics)
				       : READ(net, mib.ipv6_statistics);

	note_counter(c, base, counters, aw_config.no_routes);
}

#endif
