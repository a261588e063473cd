# SPDX-License-Identifier: Apache-2.0
"""What acceptwatch is meant to cost, and whether it does."""

from common import load

FENTRY, KPROBE = 600, 2000  # instructions added to a connection
PROGRAMS = 500  # of these, what is in the programs of tier fentry
EXCHANGE = 0  # and to an exchange of data, give or take what a repetition does
NOISE = 25
PAIRED = {"connect": 1, "exchange": 2, "bulk": 2}  # percent
START_MS, START_TIMES, PEAK_MIB = 100, 3, 12
CROWD_MS = 1000
FLOOD_CPU, FLOOD_MIB = 5, 16
RATE_TIMES = 5
LINES = 2_000_000  # of NDJSON, a second


def table(_):
    rows = [*cost(load("cost")), *paired(load("paired")), *start(load("start")), *crowd(load("crowd")),
            *rate(load("rate")), *flood(load("flood")), *micro(load("micro"))]
    lines = ["| target | measured | |", "| --- | --- | --- |"]
    lines += [f"| {target} | {measured} | {verdict} |" for target, measured, verdict in rows]
    return "\n".join(lines)


def met(yes):
    return "met" if yes else "**not met**"


def cost(data):
    for tier, limit in (("fentry", FENTRY), ("kprobe", KPROBE)):
        added = added_by(data, tier, "connect")
        if added:
            yield (f"`{tier}`: at most {limit:,} instructions more for a connection",
                   span(added) + empty(data, tier, "connect"), met(max(added) <= limit))
    within = [in_programs(rows.get("fentry"), rows.get("floor fentry"))
              for rows in map(by_name, data.get("kernels", {}).values())]
    if within and None not in within:
        yield (f"`fentry`: at most {PROGRAMS} of these in the programs", span(within),
               met(max(within) <= PROGRAMS))
    for tier in ("fentry", "kprobe", "tracepoint"):
        added = added_by(data, tier, "exchange")
        if added:
            yield (f"`{tier}`: none more for an exchange of data",
                   span(added) + empty(data, tier, "exchange"), met(max(added) <= NOISE))


def empty(data, tier, workload):
    """What empty programs at the same hooks cost, if that was measured."""
    added = added_by(data, f"floor {tier}", workload)
    return f"; empty programs there: {min(added):,} to {max(added):,}" if added else ""


def added_by(data, tier, workload):
    return [row[workload] for kernel in data.get("kernels", {}).values()
            for row in kernel["rows"] if row["name"] == tier and workload in row]


def by_name(kernel):
    return {row["name"]: row for row in kernel["rows"]}


def in_programs(row, floor):
    """What the programs do between their entry and their exit: the time that the kernel counts for
    each, less that of an empty one at the same hook. It is the same in each boot, to a few."""
    if not row or not floor or not row.get("programs") or not floor.get("programs"):
        return None
    spent = [sum(p["instructions"] for p in one["programs"] if p["workload"] == "connect")
             for one in (row, floor)]
    return spent[0] - spent[1]


def span(added):
    return f"{min(added):,} to {max(added):,}, by kernel"


def paired(data):
    names = {"connect": "connections", "exchange": "exchanges of 4 KiB", "bulk": "bulk transfer"}
    for row in data.get("rows", []):
        limit = PAIRED[row["name"]]
        low, middle, high = (row["cpu"][key] for key in ("low", "percent", "high"))
        verdict = "not decided" if low < -limit <= high else met(middle >= -limit)
        empty = f"; empty programs there: {row['cpu_empty']['percent']:+.1f} %" if "cpu_empty" in row else ""
        yield (f"`tracepoint`: at most {limit} % less {names[row['name']]}",
               f"{middle:+.1f} % ({low:+.1f} to {high:+.1f}){empty}", verdict)


def start(data):
    if not data:
        return
    ours, other = data["rows"]
    yield f"armed in less than {START_MS} ms", f"{ours['ms']} ms", met(ours["ms"] < START_MS)
    times = other["ms"] / ours["ms"]
    yield f"at least {START_TIMES} times as fast as bpftrace", f"{times:.1f} times", met(times >= START_TIMES)
    peak = ours["peak_kib"] / 1024
    yield f"less than {PEAK_MIB} MiB of memory", f"{peak:.1f} MiB", met(peak < PEAK_MIB)


def crowd(data):
    for row in data.get("rows", [])[1:]:
        yield ("armed in less than 1 s among 10,000 listeners and 200,000 descriptors",
               f"{row['ms']} ms", met(row["ms"] < CROWD_MS))


def rate(data):
    if "device" not in data:
        return
    ours = data["device"]["rows"][0]
    others = data["states"]["rows"]
    times = ours["lines"] / max(other["lines"] for other in others)
    yield (f"where every SYN is lost, at least {RATE_TIMES} times as many lines as tools that print "
           "changes of state", f"{times:.1f} times", met(times >= RATE_TIMES))
    slower = max(row["clients_slower"] for row in data["rows"])
    theirs = min(other["without"] / other["offered"] for other in others)
    yield ("at most half their slow-down of the clients", f"{slower} times as slow; {theirs:.1f}",
           met(slower - 1 <= (theirs - 1) / 2))


def flood(data):
    if not data:
        return
    same = data["counted"] == data["syns"] and data["beside"] == data["beside_sent"]
    yield "a SYN flood is counted to the last SYN", f"{data['counted']:,} of {data['syns']:,}", met(same)
    yield (f"a SYN flood costs less than {FLOOD_CPU} % of one CPU", f"{data['cpu_percent']} %",
           met(data["cpu_percent"] < FLOOD_CPU))
    peak = data["peak_kib"] / 1024
    yield f"less than {FLOOD_MIB} MiB of memory meanwhile", f"{peak:.1f} MiB", met(peak < FLOOD_MIB)


def micro(data):
    for row in data.get("rows", []):
        if row["name"].startswith("record to NDJSON"):
            yield (f"at least {LINES:,} lines of JSON a second, from records to /dev/null, on one CPU",
                   f"{row['per_second']:,}", met(row["per_second"] >= LINES))
            yield "no allocation for such a line", f"{row['allocations']:g}", met(row["allocations"] == 0)
