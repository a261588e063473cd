# SPDX-License-Identifier: Apache-2.0
"""Records a second, from the kernel to a file, where every connection is lost: clients connect to
a listener whose accept queue is full, as fast as they can."""

import json
import os
import pathlib
import subprocess
import time

from common import Agent, median, save, where

TIMES = 5
UNITS = 100000


def measure(bench):
    origin = where()
    program = bench.program("connections")
    rows = []
    for clients in (1, 2):
        without, rounds = [], []
        for _ in range(TIMES):
            without.append(flood(program, clients))
            rounds.append(watched(bench, program, clients))
        rows.append(summary(clients, without, rounds))
    save("rate", {**origin, "acceptwatch": bench.version(), "times": TIMES, "rows": rows})


def flood(program, clients):
    """Nanoseconds per connection, by each client's own clock."""
    running = [subprocess.Popen([program, "drop", "1", str(UNITS)], stdout=subprocess.PIPE, text=True)
               for _ in range(clients)]
    return median([float(one.communicate()[0].split()[2]) for one in running])


def watched(bench, program, clients):
    file = bench.work / "records"
    file.unlink(missing_ok=True)
    with Agent(bench, "-j", "-o", str(file), "-e", "listen_drop", "--rate", "0") as agent:
        begun = time.time()
        client_ns = flood(program, clients)
        until_still(file)
        taken = file.stat().st_mtime - begun
        cpu = cpu_seconds(agent.process.pid)
    lines, lost = read(file)
    assert lines, "nothing was lost"
    return {"client_ns": client_ns, "lines": lines, "lost": lost, "seconds": taken, "cpu": cpu,
            "bytes": file.stat().st_size}


def until_still(file):
    """Until the file has not grown for half a second: what was in flight is written."""
    size = -1
    while size != file.stat().st_size:
        size = file.stat().st_size
        time.sleep(0.5)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read(file):
    """Records written, and occurrences that no record stands for: the last line has both."""
    with open(file, "rb") as records:
        records.seek(-min(65536, file.stat().st_size), os.SEEK_END)
        last = json.loads(records.read().splitlines()[-1])["acceptwatch"]
    return last["records"], last["lost"]


def summary(clients, without, rounds):
    def middle(value):
        return median([value(one) for one in rounds])
    return {"clients": clients, "offered": round(clients * 1e9 / middle(lambda r: r["client_ns"])),
            "lines": round(middle(lambda r: r["lines"] / r["seconds"])),
            "lost_percent": round(100 * middle(lambda r: r["lost"] / (r["lost"] + r["lines"])), 1),
            "cpu_us_a_line": round(1e6 * middle(lambda r: r["cpu"] / r["lines"]), 2),
            "bytes_a_line": round(middle(lambda r: r["bytes"] / r["lines"])),
            "clients_slower": round(middle(lambda r: r["client_ns"]) / median(without), 2)}
