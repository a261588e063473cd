# SPDX-License-Identifier: Apache-2.0
"""Connections and bytes on this machine, with and without acceptwatch, in alternating rounds.

Clocks drift with whatever else the machine does. So a round is short, the two kinds follow each
other in the order A B B A, and the ratio of their medians is what is quoted. Rounds without are
also compared with each other: what comes out there is not acceptwatch's."""

import random
import subprocess
import time

from common import Agent, median, save, say, where

BLOCKS = 40
# Some tenths of a second each.
WORKLOADS = {"connect": 10000, "exchange": 40000, "bulk": 1500}
RESAMPLED = 2000


def measure(bench):
    origin = where()
    program = bench.program("connections")
    rounds = {workload: {"with": [], "without": []} for workload in WORKLOADS}
    for block in range(BLOCKS):
        for kind in ("without", "with", "with", "without")[::1 if block % 2 else -1]:
            one_round(bench, program, kind, rounds)
        if block % 10 == 9:
            say(f"{block + 1} of {BLOCKS} blocks")
    save("paired", {**origin, "acceptwatch": bench.version(), "probes": "tracepoint",
                    "rounds": 2 * BLOCKS,
                    "rows": [row(name, kinds) for name, kinds in rounds.items()]})


def one_round(bench, program, kind, rounds):
    if kind == "with":
        with Agent(bench, "-j", "-o", "/dev/null", "--probes", "tracepoint"):
            time.sleep(0.2)  # its first looks around
            work(program, kind, rounds)
    else:
        time.sleep(0.2)
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
        with_it, without = ([one[column] for one in kinds[kind]] for kind in ("with", "without"))
        by[clock] = ratio(with_it, without)
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
