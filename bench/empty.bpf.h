/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Included before an object of bpf/, leaves each of its programs at its hook and nothing in it:
 * what is left of its cost is the price of getting there. (The packet hook, which must return
 * 1, keeps its first test, since it is never activated.)
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define EMPTY(context, name, args...)                                                              \
  name(context* ctx) { return 0; }                                                                 \
  static __always_inline int ____##name(context* ctx, ##args)

#undef BPF_PROG
#undef BPF_KPROBE
#undef BPF_KRETPROBE
#define BPF_PROG(name, args...) EMPTY(unsigned long long, name, ##args)
#define BPF_KPROBE(name, args...) EMPTY(struct pt_regs, name, ##args)
#define BPF_KRETPROBE(name, args...) EMPTY(struct pt_regs, name, ##args)
