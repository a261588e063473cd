# SPDX-License-Identifier: Apache-2.0
"""A start among 10,000 listeners and 200,000 descriptors, and what it costs to go on."""

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time

from common import Agent, median, save, where
from rate import connect, cpu_seconds
from start import start_acceptwatch

TIMES = 5
BLOCKS = 20  # of four rounds
IDLE = 20  # seconds
PROCESSES = 20
LISTENERS = 10000
DESCRIPTORS = 200000


def measure(bench):
    origin = where()
    rows = [summary("nobody", bench)]
    crowd = [subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    for one in crowd:
        one.stdout.read(1)
    rows.append(summary("crowd", bench))
    for one in crowd:
        one.stdin.close()
        one.wait()
    save("crowd", {**origin, "acceptwatch": bench.version(), "times": TIMES,
                   "processes": PROCESSES, "listeners": LISTENERS, "descriptors": DESCRIPTORS,
                   "rows": rows})


def summary(name, bench):
    starts = [start_acceptwatch(bench) for _ in range(TIMES)]
    milliseconds = sorted(one[0] for one in starts)
    return {"name": name, "ms": round(median(milliseconds), 1), "lowest": round(milliseconds[0], 1),
            "highest": round(milliseconds[-1], 1), "peak_kib": max(one[1] for one in starts),
            "connections_percent": round(connections(bench), 1), "cpu_percent": round(idle(bench), 2)}


def connections(bench):
    """By how much a connection takes less time without acceptwatch, as in paired.py."""
    program = bench.program("connections")
    times = {False: [], True: []}
    for block in range(BLOCKS):
        for watched in ((False, True, True, False) if block % 2 else (True, False, False, True)):
            with Agent(bench, "-j", "-o", "/dev/null") if watched else contextlib.nullcontext():
                time.sleep(0.2)
                times[watched].append(connect(program, 10000)[0])
    return 100 * (median(times[False]) / median(times[True]) - 1)


def idle(bench):
    """Of one CPU, while nothing happens."""
    with Agent(bench, "-j", "-o", "/dev/null") as agent:
        time.sleep(1)
        before = cpu_seconds(agent.process.pid)
        time.sleep(IDLE)
        return 100 * (cpu_seconds(agent.process.pid) - before) / IDLE


def be_one_of_the_crowd():
    """Its share of both; the other descriptors are a pipe's, over and over."""
    each = DESCRIPTORS // PROCESSES
    resource.setrlimit(resource.RLIMIT_NOFILE, (each + 100, each + 100))
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(LISTENERS // PROCESSES)]
    pipe = os.pipe()[0]
    for _ in range(each - len(listeners)):
        os.dup(pipe)
    sys.stdout.write(".")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    be_one_of_the_crowd()
