# SPDX-License-Identifier: Apache-2.0
"""What tools/bench runs once everything is installed and built."""

import argparse
import sys
import tempfile

import cost
import crowd
import flood
import micro
import page
import paired
import rate
import start
import verifier
from common import TOP, Bench, say

PARTS = {
    "cost": cost.measure,
    "verifier": verifier.measure,
    "paired": paired.measure,
    "start": start.measure,
    "rate": rate.measure,
    "crowd": crowd.measure,
    "flood": flood.measure,
    "micro": micro.measure,
}


def options():
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("--acceptwatch", default=str(TOP / "build/release/acceptwatch"))
    parser.add_argument("--kernels", help="names of tests/vm/kernels.tsv, separated by commas")
    parser.add_argument("--check", action="store_true", help="cost, verifier: compare, write nothing")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, "page", []])
    return parser.parse_args()


def main():
    asked = options()
    parts = asked.parts or list(PARTS)
    checks = {"cost": cost.check, "verifier": verifier.check}
    if asked.check and (len(parts) != 1 or parts[0] not in checks):
        sys.exit(f"tools/bench: --check belongs to one part: {' or '.join(checks)}")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(asked.acceptwatch, asked.kernels, work)
        if asked.check:
            return checks[parts[0]](bench)
        for name in parts:
            if name in PARTS:
                say(f"== {name}")
                PARTS[name](bench)
    page.write()
    return 0



sys.exit(main())
