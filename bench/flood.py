# SPDX-License-Identifier: Apache-2.0
"""A SYN flood at the highest rate that one thread makes, with acceptwatch as people start it: what
it uses, and whether its counts are the kernel's."""

import json
import subprocess
import threading
import time

from common import Agent, peak_kib, save, where
from rate import cpu_seconds

SECONDS = 20


def measure(bench):
    origin = where()
    program = bench.program("flood")
    bare = flood(program)
    file = bench.work / "records"
    with Agent(bench, "-j", "-o", str(file)) as agent:
        pid = agent.process.pid
        before, resident = cpu_seconds(pid), Resident(pid)
        watched = flood(program)
        used = cpu_seconds(pid) - before
        early, late = resident.stop()
        peak = peak_kib(pid)
    save("flood", {**origin, "acceptwatch": bench.version(), "seconds": SECONDS,
                   "bare_rate": rate_of(bare), "rate": rate_of(watched), "syns": watched["syns"],
                   "cpu_percent": round(100 * used / watched["seconds"], 1), "peak_kib": peak,
                   "early_kib": early, "late_kib": late, **recorded(file, watched)})


def flood(program):
    words = subprocess.run([program, str(SECONDS)], check=True, capture_output=True, text=True).stdout.split()
    names = ("netns", "flooded", "beside_port", "syns", "beside", "drops")
    return {**dict(zip(names, map(int, words))), "seconds": float(words[-1])}


def rate_of(run):
    return round(run["syns"] / run["seconds"])


class Resident:
    """Resident memory a quarter into the flood and near its end."""

    def __init__(self, pid):
        self.pid, self.seen, self.ended = pid, [], threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        begun = time.monotonic()
        while not self.ended.wait(0.5):
            with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
            self.seen.append((time.monotonic() - begun, kib))

    def stop(self):
        self.ended.set()
        self.thread.join()
        early = [kib for at, kib in self.seen if at >= SECONDS / 4]
        return early[0], self.seen[-1][1]


def recorded(file, run):
    """What the lines stand for, of the flooded listener and of the one beside it."""
    lines = flooded = beside = 0
    with open(file, "rb") as records:
        for line in records:
            record = json.loads(line)
            details = record["acceptwatch"]
            if record["event"]["action"] != "listen_drop" or details["netns"] != run["netns"]:
                continue
            if record["server"]["port"] == run["flooded"]:
                lines, flooded = lines + 1, flooded + details["count"]
            else:
                beside += details["count"]
    return {"lines": lines, "counted": flooded, "beside": beside, "beside_sent": run["beside"]}
