# SPDX-License-Identifier: Apache-2.0
"""Tables and plots of docs/performance.md, from the figures in docs/performance/."""

import re

import svg
import targets
from common import DATA, TIERS, TOP, load

PAGE = TOP / "docs" / "performance.md"
BOUNDARY = r"(<!-- tools/bench: {name} -->\n).*?(<!-- end -->)"


def write():
    """Replaces what is between the marks of each part of which there are figures."""
    page = PAGE.read_text()
    for name, make in (("targets", targets.table), ("cost", cost), ("peers", peers),
                       ("programs", programs), ("paired", paired), ("start", start),
                       ("rate", rate), ("crowd", crowd), ("flood", flood), ("micro", micro),
                       ("verifier", verifier)):
        data = load({"peers": "cost", "programs": "cost"}.get(name, name))
        if data or name == "targets":
            inside = "\n" + make(data) + "\n\n"
            page = re.sub(BOUNDARY.format(name=name), lambda m, i=inside: m[1] + i + m[2], page,
                          flags=re.DOTALL)
    PAGE.write_text(page)


def table(head, rows):
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in (head, *rows)]
    rule = "| " + " | ".join(["---"] + ["---:"] * (len(head) - 1)) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def plot(name, what, drawing):
    (DATA / f"{name}.svg").write_text(drawing)
    return f"![{what}](performance/{name}.svg)\n\n"


def origin(data, timed=True):
    load_before = f" Load average before: {data['load']}." if timed else ""
    return (f"\n\n{data['machine']}; Linux {data['kernel']}; acceptwatch {data['acceptwatch']}; "
            f"{data['date']}.{load_before}")


def guests(data):
    return (f"\n\nKernels {', '.join(k['release'] for k in data['kernels'].values())}, emulated."
            + origin(data, timed=False))


def mib(kib):
    return f"{kib / 1024:.1f} MiB"


def row_of(kernel, name):
    return next((row for row in kernel["rows"] if row["name"] == name), {"refused": "not measured"})


def cell(row, what):
    return f"{row[what]:+,}" if what in row else f"not started: {row['refused']}"


def cost(data):
    rows, drawn = [], []
    for name, kernel in data["kernels"].items():
        bare = kernel["bare"]["connect"]
        for number, tier in enumerate(TIERS):
            row = row_of(kernel, tier)
            floor = row_of(kernel, f"floor {tier}")
            rows.append([f"{name}, `{tier}`", f"{bare['median']:,}", cell(row, "connect"),
                         cell(floor, "connect"), inside(row, floor), cell(row, "connect_all"),
                         cell(row, "exchange"), cell(floor, "exchange")])
            drawn.append((f"{name} {tier}", row.get("connect"), number))
        drawn.append(None)
    spread = max(k["bare"]["connect"]["highest"] - k["bare"]["connect"]["lowest"]
                 for k in data["kernels"].values())
    marks = [(targets.FENTRY, "600", svg.COLORS[0]), (targets.KPROBE, "2,000", svg.COLORS[1])]
    drawing = svg.bars("Instructions added to a connection", drawn, marks, TIERS)
    return (plot("cost", "Instructions added to a connection, by kernel and tier", drawing) +
            table(["kernel, tier", "without", "added", "by empty programs", "in programs",
                   "all processes", "added to an exchange", "by empty programs"], rows) +
            f"\n\nWithout anything attached, the medians of one boot are at most {spread} apart "
            f"({data['rounds']} rounds of {data['connections']} connections each)." + guests(data))


def inside(row, floor):
    within = targets.in_programs(row, floor)
    return "" if within is None else f"+{within:,}"


def peers(data):
    name, kernel = next((k, v) for k, v in data["kernels"].items() if len(v["rows"]) > 2 * len(TIERS))
    rows, drawn = [], []
    for row in kernel["rows"]:
        if row["name"].startswith("floor "):
            continue
        ours = row["name"] in TIERS
        label = f"acceptwatch, {row['name']}" if ours else row["name"]
        rows.append([label, cell(row, "connect"), cell(row, "connect_all") if "connect" in row else ""])
        drawn.append((label, row.get("connect"), 0 if ours else 3))
    drawing = svg.bars(f"Instructions added to a connection on {name}", drawn)
    return (plot("peers", "The same beside other tools", drawing) +
            table([f"on {name}", "added", "added, all processes"], rows))


def programs(data):
    lines = []
    for name, kernel in data["kernels"].items():
        for tier in TIERS:
            empty = {(p["workload"], p["name"]): p["instructions"]
                     for p in row_of(kernel, f"floor {tier}").get("programs", [])}
            for p in row_of(kernel, tier).get("programs", []):
                lines.append((name, tier, p, empty.get((p["workload"], p["name"]), "")))
    newest = "6.12" if "6.12" in data["kernels"] else lines[0][0]
    rows = [[f"`{tier}`: {p['name']}", p["workload"], f"{p['runs']:.0f}", p["instructions"], empty]
            for name, tier, p, empty in lines if name == newest]
    return table([f"program, on {newest}", "workload", "runs", "instructions", "empty"], rows)


NAMES = {"connect": "connect, accept, reset", "exchange": "4 KiB sent and received",
         "bulk": "1 MiB sent and received"}


def paired(data):
    rows, drawn = [], []
    for row in data["rows"]:
        for key, label in (("cpu", "by CPU time"), ("cpu_empty", "empty programs"),
                           ("cpu_nothing", "nothing against nothing"), ("clock", "by the clock"),
                           ("clock_empty", "empty programs"), ("clock_nothing", "nothing against nothing")):
            if key not in row:
                continue
            r = row[key]
            rows.append([f"{NAMES[row['name']]}, {label}", f"{r['percent']:+.1f} %",
                         f"{r['low']:+.1f} to {r['high']:+.1f} %"])
            if key.startswith("cpu"):
                shown = NAMES[row["name"]] if key == "cpu" else label
                drawn.append((shown, r["low"], r["percent"], r["high"], 3 if shown == label else 0))
    marks = [(-targets.PAIRED[name], f"-{targets.PAIRED[name]} %", svg.COLORS[1])
             for name in ("connect", "bulk")]
    drawing = svg.intervals("Change of the rate by acceptwatch, tier tracepoint", drawn, marks, "%")
    took = ", ".join(f"{NAMES[row['name']]}: {row['ns']:,} ns" for row in data["rows"])
    return (plot("paired", "Change of the rate by acceptwatch", drawing) +
            table(["", "rate", "95 % of resamplings"], rows) +
            f"\n\n{data['rounds']} rounds of each kind. Without acceptwatch, of CPU time: {took}." +
            origin(data))


def start(data):
    drawn = [(row["name"], row["ms"], 0 if n == 0 else 3) for n, row in enumerate(data["rows"])]
    drawing = svg.bars("Milliseconds from exec to armed", drawn, [(targets.START_MS, "100 ms", svg.COLORS[1])])
    rows = [[row["name"], row["ms"], f"{row['lowest']} to {row['highest']}", mib(row["peak_kib"])]
            for row in data["rows"]]
    return (plot("start", "From exec to armed", drawing) +
            table(["", "ms, median", "range", "peak memory"], rows) +
            f"\n\n{data['times']} starts of each, in turn; {data['bpftrace']}:\n\n```\n" +
            data["program"].replace("} ", "}\n") + "\n```" + origin(data))


def rate(data):
    rows = [[row["clients"], f"{row['offered']:,}", f"{row['lines']:,}", f"{row['lost_percent']} %",
             row["cpu_us_a_line"], row["bytes_a_line"], f"{row['clients_slower']}"]
            for row in data["rows"]]
    text = table(["clients", "lost connections/s", "lines/s in the file", "not delivered",
                  "µs of CPU a line", "bytes a line", "clients take, times"], rows)
    if "device" in data:
        text += "\n\n" + from_device(data["device"]) + "\n\n" + of_states(data["states"])
    return text + origin(data)


def from_device(data):
    rows = [[row["name"], f"{row['offered']:,}", f"{row['lines']:,}", f"{row['missing_percent']} %",
             row["cpu_us_a_line"]] for row in data["rows"]]
    return ("SYNs from a device, as in [a flood](#a-flood), for which bpftrace writes a line as well:\n\n" +
            table(["", "lost connections/s", "lines/s in the file", "without a line",
                   "µs of CPU a line"], rows) +
            "\n\n```\n" + data["program"].replace("; ", ";\n") + "\n```")


def of_states(data):
    rows = [[row["name"], f"{row['without']:,}", f"{row['offered']:,}", f"{row['lines']:,}",
             f"{row['without'] / row['offered']:.1f}"] for row in data["rows"]]
    return ("Tools that print each change of state, while a thread connects, accepts and resets:\n\n" +
            table(["", "connections/s without", "with", "lines/s in the file", "clients take, times"], rows) +
            "\n\n```\n" + data["program"] + "\n```")


def crowd(data):
    names = {"nobody": "the machine as it is",
             "crowd": f"{data['listeners']:,} listeners, {data['descriptors']:,} descriptors, "
                      f"{data['processes']} processes"}
    rows = [[names[row["name"]], row["ms"], f"{row['lowest']} to {row['highest']}", mib(row["peak_kib"]),
             f"{row['connections_percent']:+.1f} %", f"{row['cpu_percent']} %"] for row in data["rows"]]
    return table(["", "ms, median", "range", "peak memory", "connections, by CPU time",
                  "CPU while idle"], rows) + origin(data)


def flood(data):
    rows = [["SYNs a second, without acceptwatch", f"{data['bare_rate']:,}"],
            ["SYNs a second, with it", f"{data['rate']:,}"],
            ["SYNs dropped, by the kernel", f"{data['syns']:,}"],
            ["the same, sum of `acceptwatch.count`", f"{data['counted']:,}"],
            ["lines for them", f"{data['lines']:,}"],
            ["drops of the listener beside it, of those sent", f"{data['beside']} of {data['beside_sent']}"],
            ["CPU of acceptwatch", f"{data['cpu_percent']} % of one"],
            ["resident memory, early and at the end", f"{mib(data['early_kib'])}, {mib(data['late_kib'])}"]]
    return table(["", f"{data['seconds']} s"], rows) + origin(data)


def micro(data):
    rows = [[row["name"], row["ns"], f"{row['per_second']:,}", f"{row['allocations']:g}"]
            for row in data["rows"]]
    return (table(["step", "ns of CPU", "a second", "allocations"], rows) +
            f"\n\nMedians of {data['repetitions']} repetitions, interleaved." + origin(data))


def verifier(data):
    """The largest programs; the file has all."""
    rows = []
    for kernel, one in data["kernels"].items():
        for tier, listed in one["tiers"].items():
            sizes = [(p["verified"] or 0, name) for name, p in listed.items()]
            largest = max(sizes)
            known = largest[0] > 0
            rows.append([f"{kernel}, `{tier}`", len(listed), f"{sum(p['length'] for p in listed.values()):,}",
                         f"{sum(size for size, _ in sizes):,}" if known else "not told",
                         f"{largest[1]}: {largest[0]:,}" if known else ""])
    return table(["kernel, tier", "programs", "instructions", "verified", "most for one"], rows) + guests(data)
