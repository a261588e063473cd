# SPDX-License-Identifier: Apache-2.0
"""Instructions added to a connection: guests whose clock counts instructions."""

from common import HERE, TIERS, load, median, save, say, where

ROUNDS, UNITS = 15, 1000

# For `check`: boots of one build differ by a hundred, now and then by more.
GROWTH, BOOTS = 200, 2
CHECKED = ("fentry", "kprobe")

# Other tools, on one kernel: what is comparable to acceptwatch (tcpsynbl, the histogram: how full
# is the accept queue), and what people run to see connections.
PEERS_ON = "6.12"
PEERS = {
    "tcpsynbl": "tcpsynbl",
    "bpftrace: histogram of queues":
        "bpftrace -e 'kprobe:tcp_v4_syn_recv_sock { @ = hist(((struct sock *)arg0)->sk_ack_backlog); }'",
    "bpftrace: a line for each accept()":
        "bpftrace -e 'kretprobe:inet_csk_accept { printf(\"%d %s\\n\", pid, comm); }'",
    "tcpstates": "tcpstates",
    "tcplife": "tcplife",
    "tcptracer": "tcptracer",
}


def measure(bench):
    data = load("cost")
    data.update(where(), acceptwatch=bench.version(), rounds=ROUNDS, connections=UNITS)
    for kernel in bench.kernels:
        say(f"kernel {kernel}")
        data.setdefault("kernels", {})[kernel] = one_kernel(bench, kernel)
        save("cost", data)


def check(bench):
    """Whether a connection costs more than the file says, in what may go into production. The better
    one of two boots counts. Another release of a kernel is measured anew, not compared."""
    recorded = load("cost").get("kernels", {})
    grown, compared, moved = [], 0, 0
    for kernel in bench.kernels:
        before = recorded.get(kernel)
        if not before:
            continue
        more = None
        for _ in range(BOOTS):
            seen = one_kernel(bench, kernel, CHECKED)
            if seen["release"] != before["release"]:
                break
            more = better(more, growth(before, seen))
            if all(by <= GROWTH for by in more.values()):
                break
        if more is None:
            print(f"{kernel} is {seen['release']}, recorded for {before['release']}: not compared")
            moved += 1
            continue
        compared += len(more)
        grown += [f"{kernel} {tier}: {by:+} instructions a connection" for tier, by in more.items()
                  if by > GROWTH]
    for line in grown:
        print(line)
    print(f"{compared} tiers compared, {len(grown)} cost over {GROWTH} instructions more")
    return 1 if grown or not (compared or moved) else 0


def growth(before, seen):
    """By tier. One that does not start any more has grown without bound."""
    was = {row["name"]: row for row in before["rows"]}
    now = {row["name"]: row for row in seen["rows"]}
    return {tier: now[tier].get("connect", 10**6) - was[tier]["connect"] for tier in CHECKED
            if "connect" in was.get(tier, {})}


def better(one, other):
    return other if one is None else {tier: min(by, other[tier]) for tier, by in one.items()}


def one_kernel(bench, kernel, tiers=TIERS):
    files = [bench.program("connections"), bench.program("programs"), HERE / "guest-cost",
             bench.floor(), *(f"{bench.empty_object(name)}:/{name}.empty.o" for name in ("direct", "probe"))]
    options = ["--icount"]
    if kernel == PEERS_ON and tiers == TIERS:
        peers = bench.work / "peers"
        peers.write_text("".join(f"{name}\t{command}\n" for name, command in PEERS.items()))
        files.append(f"{peers}:/peers")
        options += ["--memory", "2048"]  # bpftrace comes with a compiler
        for program in sorted({command.split()[0] for command in PEERS.values()}):
            options += ["--program", program]
    text = bench.guest(kernel, ["guest-cost", str(ROUNDS), str(UNITS), *tiers], files, options)
    return figures(text)


def figures(text):
    """From what guest-cost printed to a row for each thing measured."""
    release, sections = "", []
    for line in text.splitlines():
        if line.startswith("== "):
            sections.append(empty(line[3:]))
        elif sections and sections[-1]["name"] == "kernel":
            release = line
        elif sections:
            take(sections[-1], line)
    sections = sections[1:]
    rows = [row(sections, i) for i in range(1, len(sections), 2)]
    return {"release": release, "bare": spread(sections[::2]), "rows": rows}


def empty(name):
    return {"name": name, "connect": [], "exchange": [], "going": [], "programs": {}, "refused": None}


def take(section, line):
    word, *rest = line.split("\t")
    if word in ("connect", "exchange", "going"):
        section[word].append([float(value) for value in rest])
    elif word == "program":
        workload, name, _, _, runs, nanoseconds = rest
        section["programs"].setdefault(name, {})[workload] = (int(runs), int(nanoseconds))
    elif line.startswith("refused "):
        section["refused"] = line[8:]


def middle(section, workload, column):
    return median([values[column] for values in section[workload]])


def spread(bare):
    """The same nothing, measured again and again: how far the medians are apart."""
    medians = {w: [middle(section, w, 0) for section in bare] for w in ("connect", "exchange")}
    return {workload: {"median": round(median(values)), "lowest": round(min(values)),
                       "highest": round(max(values)), "times": len(values)}
            for workload, values in medians.items()}


def programs(section):
    """What each program ran per unit. The kernel's counters go on; so exchange is a difference."""
    for name, counted in section["programs"].items():
        before = (0, 0)
        for workload in ("connect", "exchange"):
            runs, nanoseconds = (now - then for now, then in zip(counted[workload], before))
            before = counted[workload]
            if runs > UNITS / 2:
                yield {"workload": workload, "name": name, "runs": round(runs / UNITS, 2),
                       "instructions": round(nanoseconds / UNITS)}


def row(sections, i):
    """What section i added to its two neighbours, with nothing attached."""
    section, neighbours = sections[i], (sections[i - 1], sections[i + 1])
    if section["refused"] or not section["exchange"]:
        return {"name": section["name"], "refused": section["refused"] or "died"}
    added = {}
    for workload in ("connect", "exchange"):
        for column, label in ((0, workload), (1, f"{workload}_all")):
            bare = sum(middle(one, workload, column) for one in neighbours) / 2
            # What acceptwatch does itself shows while it goes on; others are not stopped.
            going = label == "connect_all" and section["going"]
            added[label] = round(middle(section, "going" if going else workload, column) - bare)
    return {"name": section["name"], **added, "programs": list(programs(section))}
