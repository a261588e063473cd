# SPDX-License-Identifier: Apache-2.0
"""From exec to armed, and peak memory, beside bpftrace with tracepoints alone."""

import os
import signal
import socket
import subprocess
import time

from common import median, mount_tracefs, peak_kib, save, where

TIMES = 20

# The tracepoints that tier tracepoint attaches to, as a user would write them. It does less: no
# SYN stage, no owners, no queues, no totals. The last is attached last.
BPFTRACE = " ".join((
    'tracepoint:tcp:tcp_retransmit_synack { printf("retransmit %d\\n", args->sport); }',
    'tracepoint:skb:kfree_skb { @drops[args->reason] = count(); }',
    'tracepoint:skb:consume_skb { @consumed = count(); }',
    'tracepoint:sock:inet_sock_set_state /args->oldstate == 10 || args->newstate == 10/',
    '{ printf("listener %d\\n", args->sport); }',
    'tracepoint:sched:sched_process_fork,tracepoint:sched:sched_process_exec,',
    'tracepoint:task:task_rename,tracepoint:sched:sched_process_exit { @processes = count(); }',
    'tracepoint:tcp:tcp_receive_reset { @resets = count(); }',
    'tracepoint:tcp:tcp_send_reset { printf("reset %d\\n", args->state); }'))


def measure(bench):
    origin = where()
    mount_tracefs()
    rows = {"acceptwatch": [], "bpftrace": []}
    # Alternating, so that what else the machine does meets both.
    for _ in range(TIMES):
        rows["acceptwatch"].append(start_acceptwatch(bench))
        rows["bpftrace"].append(start_bpftrace())
    version = subprocess.run(["bpftrace", "--version"], check=True, text=True, capture_output=True)
    save("start", {**origin, "acceptwatch": bench.version(), "times": TIMES,
                   "bpftrace": version.stdout.strip(), "program": BPFTRACE,
                   "rows": [summary(name, values) for name, values in rows.items()]})


def summary(name, values):
    milliseconds = sorted(value[0] for value in values)
    return {"name": name, "ms": round(median(milliseconds), 1), "lowest": round(milliseconds[0], 1),
            "highest": round(milliseconds[-1], 1), "peak_kib": max(value[1] for value in values)}


def start_acceptwatch(bench):
    """Until the byte of --ready-fd, which follows the start record."""
    ready, write = os.pipe()
    words = [bench.acceptwatch, "-q", "-j", "-o", "/dev/null", "--ready-fd", str(write)]
    begun = time.monotonic()
    process = subprocess.Popen(words, pass_fds=[write])
    os.close(write)
    armed = os.read(ready, 1)
    taken = time.monotonic() - begun
    os.close(ready)
    assert armed, "acceptwatch did not start"
    time.sleep(0.3)  # its first looks around
    return taken * 1e3, stop(process)


def start_bpftrace():
    """It does not say when it is armed. Its output does: a closed port is asked again and again,
    and the first reset that it reports is the end."""
    begun = time.monotonic()
    process = subprocess.Popen(["bpftrace", "-B", "none", "-e", BPFTRACE], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    os.set_blocking(process.stdout.fileno(), False)
    seen = b""
    while b"\nreset " not in seen:
        assert process.poll() is None and time.monotonic() < begun + 60, "bpftrace did not start"
        with socket.socket() as client:
            client.connect_ex(("127.0.0.1", 1))
        time.sleep(0.001)
        seen += process.stdout.read() or b""
    taken = time.monotonic() - begun
    return taken * 1e3, stop(process)


def stop(process):
    """Ends it; its peak memory."""
    peak = peak_kib(process.pid)
    process.send_signal(signal.SIGINT)
    if process.stdout:
        os.set_blocking(process.stdout.fileno(), True)
        process.stdout.read()
    process.wait()
    return peak
