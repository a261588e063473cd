# SPDX-License-Identifier: Apache-2.0
"""A start among 10,000 listeners and 200,000 descriptors."""

import os
import resource
import socket
import subprocess
import sys

from common import median, save, where
from start import start_acceptwatch

TIMES = 5
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
            "highest": round(milliseconds[-1], 1), "peak_kib": max(one[1] for one in starts)}


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
