/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who holds a listener: learnt at listen() (lifecycle.bpf.h) and at accept()
 * (accept.bpf.h), handed on by fork, reconsidered at exec, given up at exit. Only processes that
 * hold a listener make a record.
 */
#ifndef ACCEPTWATCH_OWNERS_BPF_H
#define ACCEPTWATCH_OWNERS_BPF_H

static __always_inline bool holds_listener(__u32 pid)
{
	return bpf_map_lookup_elem(&aw_holders, &pid) != NULL;
}

/* Nobody waits for it: it is read before the next event, or once a second. */
static __always_inline void report_process(struct aw_process *p)
{
	fill_header(&p->header, AW_RECORD_PROCESS, sizeof(*p));
	if (write_quietly(p, sizeof(*p)))
		__sync_fetch_and_add(&aw_lost[AW_ACTION_NONE], 1);
}

static __always_inline void on_fork(struct task_struct *parent, struct task_struct *child)
{
	struct aw_process p = { .change = AW_PROCESS_FORK };
	__u8 yes = 1;

	p.pid = READ(child, tgid);
	p.other_pid = READ(parent, tgid);
	if (p.pid == p.other_pid || !holds_listener(p.other_pid))
		return;
	bpf_map_update_elem(&aw_holders, &p.pid, &yes, BPF_ANY);
	p.start_ns = READ(child, start_boottime);
	read_comm(p.comm, child);
	report_process(&p);
}

static __always_inline void on_exec(struct task_struct *task)
{
	struct aw_process p = { .change = AW_PROCESS_EXEC };

	p.pid = READ(task, tgid);
	if (!holds_listener(p.pid))
		return;
	read_comm(p.comm, task);
	report_process(&p);
}

/* Once for a process: do_exit() lowers signal->live before the tracepoint. */
static __always_inline void on_exit(struct task_struct *task)
{
	struct aw_process p = { .change = AW_PROCESS_EXIT };

	p.pid = READ(task, tgid);
	if (!holds_listener(p.pid) || READ(task, signal, live.counter))
		return;
	if (bpf_map_delete_elem(&aw_holders, &p.pid))
		return;
	p.exit_code = READ(task, exit_code);
	read_comm(p.comm, task);
	report_process(&p);
}

/*
 * prctl(PR_SET_NAME) and writes to /proc/PID/comm: task:task_rename comes before
 * the change, so the new name is in the argument; empty where it is unreadable.
 */
static __always_inline void on_rename(struct task_struct *task, const char *name)
{
	struct aw_process p = { .change = AW_PROCESS_RENAME };

	p.pid = READ(task, tgid);
	if (p.pid != (__u32)READ(task, pid) || !holds_listener(p.pid))
		return;
#pragma unroll
	for (int word = 0; word < AW_COMM_LEN / 4; word++)
		((__u32 *)p.comm)[word] = read_raw_u32((__u64)name + 4 * word);
	report_process(&p);
}

#endif
