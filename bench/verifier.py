# SPDX-License-Identifier: Apache-2.0
"""What the verifier goes through to accept each program. A program that grows without need loads
more slowly, and one day an older kernel refuses it."""

import os
from concurrent.futures import ThreadPoolExecutor

from common import TIERS, load, save, say, where

# A tenth up or down is a compiler's mood; a fifth is a change that somebody should have meant.
GROWTH = 1.2

# In a guest: arm each tier, list the programs.
SCRIPT = r"""
uname -r
mkfifo /tmp/ready
for tier in "$@"; do
  acceptwatch -q -j -o /tmp/records --probes $tier --ready-fd 3 3>/tmp/ready 2>/tmp/log &
  if [ "$(head -c 1 /tmp/ready | wc -c)" = 1 ]; then
    programs | sed "s/^/$tier\t/"
  fi
  kill $! 2>/dev/null
  wait $!
done
true
"""


def measure(bench):
    data = load("verifier")
    data.update(where(), acceptwatch=bench.version())
    data.setdefault("kernels", {}).update(all_kernels(bench))
    save("verifier", data)


def all_kernels(bench):
    """Nothing is timed: as many at once as there are CPUs."""
    programs = bench.program("programs")

    def one(kernel):
        say(f"kernel {kernel}")
        return kernel, one_kernel(bench, kernel, programs)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(pool.map(one, bench.kernels))


def one_kernel(bench, kernel, programs):
    text = bench.guest(kernel, ["sh", "-c", SCRIPT, "sh", *TIERS], [programs])
    release, *lines = text.splitlines()
    tiers = {}
    for line in lines:
        tier, name, length, verified, *_ = line.split("\t")
        # 0: a kernel before 5.16 does not say.
        tiers.setdefault(tier, {})[name] = {"length": int(length), "verified": int(verified) or None}
    return {"release": release, "tiers": tiers}


def check(bench):
    """Compares with the file. What is new there is no growth; a tier that is gone is a failure.
    Another release of a kernel has another verifier: it is measured anew, not compared."""
    recorded = load("verifier").get("kernels", {})
    grown = []
    compared = 0
    moved = 0
    for kernel, seen in all_kernels(bench).items():
        now = seen["tiers"]
        before = recorded.get(kernel, {})
        if before.get("release") != seen["release"]:
            print(f"{kernel} is {seen['release']}, recorded for {before.get('release')}: not compared")
            moved += 1
            continue
        for tier, programs in before.get("tiers", {}).items():
            if tier not in now:
                grown.append(f"{kernel} {tier}: does not start any more")
            for name, was in programs.items():
                after = now.get(tier, {}).get(name)
                compared += after is not None
                if after and size(after) > GROWTH * size(was):
                    grown.append(f"{kernel} {tier} {name}: {size(was)} -> {size(after)}")
    for line in grown:
        print(line)
    print(f"{compared} programs compared, {len(grown)} grown by more than a fifth")
    return 1 if grown or not (compared or moved) else 0


def size(program):
    """What the verifier went through; on kernels that do not say, the program's length."""
    return program["verified"] or program["length"]
