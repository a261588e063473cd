# SPDX-License-Identifier: Apache-2.0
"""Records a second, from the kernel to a file, where every connection is lost: clients connect to
a listener whose accept queue is full, as fast as they can; or SYNs come in from a device, which is
faster, beside bpftrace."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from common import Agent, median, mount_tracefs, save, where

TIMES = 5
UNITS = 100000
CONNECTIONS = 40000
SECONDS = 5

# tcp_conn_request() frees a SYN that it drops with consume_skb(), and one that it answers, too. So
# the line tells both ends, but neither that it was lost nor whose and why.
BPFTRACE = " ".join((
    "tracepoint:skb:consume_skb { $skb = (struct sk_buff *)args->skbaddr;",
    "$ip = (struct iphdr *)($skb->head + $skb->network_header);",
    "$tcp = (struct tcphdr *)($skb->head + $skb->transport_header);",
    'printf("%s:%d > %s:%d\\n", ntop($ip->saddr), bswap($tcp->source), ntop($ip->daddr),',
    "bswap($tcp->dest)); }"))

STATES = {
    "bpftrace": ["bpftrace", "-e", "tracepoint:sock:inet_sock_set_state { "
                 'printf("%d %d %d %d\\n", args->sport, args->dport, args->oldstate, args->newstate); }'],
    "tcpstates": ["/usr/sbin/tcpstates"],
}


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
    save("rate", {**origin, "acceptwatch": bench.version(), "times": TIMES, "rows": rows,
                  "device": from_device(bench), "states": of_states(bench)})


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


def from_device(bench):
    """SYNs from flood.cpp, all of them lost, to acceptwatch and to bpftrace in turn."""
    mount_tracefs()
    program = bench.program("flood")
    rounds = {"acceptwatch": [], "bpftrace": []}
    for _ in range(TIMES):
        rounds["acceptwatch"].append(written_by_acceptwatch(bench, program))
        rounds["bpftrace"].append(written_by_bpftrace(bench, program))
    return {"seconds": SECONDS, "program": BPFTRACE,
            "rows": [device_row(name, rows) for name, rows in rounds.items()]}


def written_by_acceptwatch(bench, program):
    file = bench.work / "records"
    file.unlink(missing_ok=True)
    with Agent(bench, "-j", "-o", str(file), "-e", "listen_drop", "--rate", "0") as agent:
        return written(program, file, agent.process.pid)


def written_by_bpftrace(bench, program):
    with printing(bench, ["bpftrace", "-e", BPFTRACE]) as (file, pid):
        return written(program, file, pid)


@contextlib.contextmanager
def printing(bench, words):
    """A tool that prints, until the end of the block: the file that gets it, and its pid."""
    file = bench.work / "printed"
    with open(file, "wb") as out:
        tool = subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL)
    # Its first line says what it is going to attach, or names the columns, and may be kept back.
    patience = time.time() + 3
    while not file.stat().st_size and time.time() < patience:
        time.sleep(0.1)
    time.sleep(1)
    if tool.poll() is not None:
        raise SystemExit(f"tools/bench: {words[0]} has ended")
    yield file, tool.pid
    tool.send_signal(signal.SIGINT)
    tool.wait()


def of_states(bench):
    """Tools that print each change of state, while connections are made, accepted and reset."""
    mount_tracefs()
    program = bench.program("connections")
    rows = []
    for name, words in STATES.items():
        without, rounds = [], []
        for _ in range(TIMES):
            without.append(connect(program, CONNECTIONS)[1])
            rounds.append(states_written(bench, words, program))
        rows.append({"name": name, "without": round(1e9 / median(without)),
                     "offered": round(1e9 / median([ns for ns, _ in rounds])),
                     "lines": round(median([lines for _, lines in rounds]))})
    return {"program": STATES["bpftrace"][-1], "rows": rows}


def states_written(bench, words, program):
    """Nanoseconds per connection, and lines a second."""
    with printing(bench, words) as (file, _):
        lines, begun = count_lines(file), time.time()
        client_ns = connect(program, CONNECTIONS)[1]
        until_still(file)
        return client_ns, (count_lines(file) - lines) / (file.stat().st_mtime - begun)


def connect(program, units):
    """Nanoseconds per connection: of CPU time, and by the clock."""
    ran = subprocess.run([program, "connect", "1", str(units)], check=True, text=True,
                         capture_output=True)
    return [float(word) for word in ran.stdout.split()[1:]]


def written(program, file, pid):
    """What a flood made of a file; the time is until the last line."""
    cpu, begun = cpu_seconds(pid), time.time()
    lines = count_lines(file)
    words = subprocess.run([program, str(SECONDS)], check=True, capture_output=True, text=True).stdout.split()
    until_still(file)
    return {"syns": int(words[3]) + int(words[4]), "offered": int(words[3]) / float(words[-1]),
            "lines": count_lines(file) - lines, "seconds": file.stat().st_mtime - begun,
            "cpu": cpu_seconds(pid) - cpu}


def count_lines(file):
    """But those by which bpftrace tells of lines that it lost."""
    with open(file, "rb") as lines:
        return sum(not line.startswith(b"Lost ") for line in lines)


def device_row(name, rounds):
    def middle(value):
        return median([value(one) for one in rounds])
    return {"name": name, "offered": round(middle(lambda r: r["offered"])),
            "lines": round(middle(lambda r: r["lines"] / r["seconds"])),
            "missing_percent": round(100 * middle(lambda r: max(0, 1 - r["lines"] / r["syns"])), 1),
            "cpu_us_a_line": round(1e6 * middle(lambda r: r["cpu"] / r["lines"]), 2)}


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
        last = json.loads(records.read().splitlines()[-1])["acceptwatch"]["summary"]
    return last["records"], last["records_lost"]


def summary(clients, without, rounds):
    def middle(value):
        return median([value(one) for one in rounds])
    return {"clients": clients, "offered": round(clients * 1e9 / middle(lambda r: r["client_ns"])),
            "lines": round(middle(lambda r: r["lines"] / r["seconds"])),
            "lost_percent": round(100 * middle(lambda r: r["lost"] / (r["lost"] + r["lines"])), 1),
            "cpu_us_a_line": round(1e6 * middle(lambda r: r["cpu"] / r["lines"]), 2),
            "bytes_a_line": round(middle(lambda r: r["bytes"] / r["lines"])),
            "clients_slower": round(middle(lambda r: r["client_ns"]) / median(without), 2)}
