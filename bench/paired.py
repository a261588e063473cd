# SPDX-License-Identifier: Apache-2.0
"""Connections and bytes on this machine, with and without acceptwatch, in alternating rounds.

Clocks drift with whatever else the machine does. So a round is short, the kinds follow each other
in the order A B C C B A, and the ratio of their medians is what is quoted. Rounds without are also
compared with each other: what comes out there is not acceptwatch's. The third kind has empty
programs at the same hooks: what comes out there is the kernel's."""

import contextlib
import random
import subprocess
import time

from common import Agent, Empty, median, save, say, where

BLOCKS = 40
# Some tenths of a second each.
TIER = ("-j", "-o", "/dev/null", "--probes", "tracepoint")
KINDS = ("without", "with", "empty")
WORKLOADS = {"connect": 10000, "exchange": 40000, "bulk": 1500}
RESAMPLED = 2000


def measure(bench):
    origin = where()
    program = bench.program("connections")
    with Agent(bench, *TIER):
        hooks = set(bench.loaded_programs())
    rounds = {workload: {kind: [] for kind in KINDS} for workload in WORKLOADS}
    for block in range(BLOCKS):
        for kind in (KINDS + KINDS[::-1] if block % 2 else KINDS[::-1] + KINDS):
            one_round(bench, program, kind, hooks, rounds)
        if block % 10 == 9:
            say(f"{block + 1} of {BLOCKS} blocks")
    save("paired", {**origin, "acceptwatch": bench.version(), "probes": "tracepoint",
                    "rounds": 2 * BLOCKS,
                    "rows": [row(name, kinds) for name, kinds in rounds.items()]})


def one_round(bench, program, kind, hooks, rounds):
    attached = {"without": contextlib.nullcontext, "with": lambda: Agent(bench, *TIER),
                "empty": lambda: Empty(bench, "direct", hooks)}
    with attached[kind]():
        time.sleep(0.2)  # acceptwatch's first looks around
        work(program, kind, rounds)


def work(program, kind, rounds):
    for workload, units in WORKLOADS.items():
        ran = subprocess.run([program, workload, "1", str(units)], check=True, text=True,
                             capture_output=True)
        rounds[workload][kind].append([float(value) for value in ran.stdout.split()[1:]])


def row(name, kinds):
    """By the thread's own CPU time, which leaves out what else the machine does, and by the clock,
    which has what acceptwatch itself uses of the machine."""
    by = {}
    for column, clock in enumerate(("cpu", "clock")):
        without, with_it, empty = ([one[column] for one in kinds[kind]] for kind in KINDS)
        by[clock] = ratio(with_it, without)
        by[f"{clock}_empty"] = ratio(empty, without)
        by[f"{clock}_nothing"] = ratio(without[::2], without[1::2])
    return {"name": name, "ns": round(median([one[0] for one in kinds["without"]])), **by}


def ratio(of, to):
    """How much the rate of OF differs from TO's, in percent, and where 95 % of resamplings lie."""
    generator = random.Random(1)
    resampled = sorted(
        median(generator.choices(to, k=len(to))) / median(generator.choices(of, k=len(of)))
        for _ in range(RESAMPLED))
    percent = [round(100 * (value - 1), 2) for value in
               (median(to) / median(of), resampled[RESAMPLED // 40], resampled[-RESAMPLED // 40])]
    return dict(zip(("percent", "low", "high"), percent))
