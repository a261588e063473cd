/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where in the kernel the threads of some processes are: user space names the processes and
 * reads an iterator. Each thread that sleeps is a few lines: its number, its functions with the
 * innermost first, and an empty one. The kernel writes the names itself (%pB), so nobody needs its
 * symbols.
 */
#ifndef ACCEPTWATCH_STACKS_BPF_H
#define ACCEPTWATCH_STACKS_BPF_H

/* Processes to be looked at, by their numbers outside all pid namespaces; 0: none. */
__u32 aw_stack_pids[AW_MAX_STACK_PIDS] = {};

static __always_inline bool is_looked_at(__u32 pid)
{
	int i;

	for (i = 0; i < AW_MAX_STACK_PIDS; i++) {
		if (aw_stack_pids[i] == pid)
			return true;
	}
	return false;
}

/*
 * bpf_get_task_stack(): fa28dcb82a38 (5.9). The scheduler's own functions are left out
 * (stack_trace_consume_entry_nosched()); of a thread that is running there is nothing
 * (unwind_start()). A line that finds no room makes the kernel take the thread once more
 * (bpf_seq_read()). The task is read as what it is, in probe_seed.bpf.c as well: lockdown
 * forbids probe reads, and no stacks.
 */
SEC("iter/task")
int stacks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	__u64 frames[AW_MAX_FRAMES];
	char end = '\n';
	long bytes;
	int i;

	if (!task || !is_looked_at(task->tgid))
		return 0;
	bytes = bpf_get_task_stack(task, frames, sizeof(frames), 0);
	if (bytes <= 0)
		return 0;
	BPF_SEQ_PRINTF(seq, "@%d\n", task->pid);
	for (i = 0; i < AW_MAX_FRAMES; i++) {
		if (i * (long)sizeof(frames[0]) >= bytes)
			break;
		BPF_SEQ_PRINTF(seq, "%pB\n", frames[i]);
	}
	bpf_seq_write(seq, &end, sizeof(end));
	return 0;
}

#endif
