# SPDX-License-Identifier: Apache-2.0
"""What user space does with a record, step by step: time on one CPU, and allocations."""

import json
import subprocess

from common import TOP, save, where

REPETITIONS = 9


def measure(bench):
    origin = where()
    program = build()
    ran = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.2",
                          f"--benchmark_repetitions={REPETITIONS}",
                          "--benchmark_enable_random_interleaving=true",
                          "--benchmark_report_aggregates_only=true"],
                         check=True, text=True, capture_output=True)
    medians = [one for one in json.loads(ran.stdout)["benchmarks"] if one["aggregate_name"] == "median"]
    rows = [row(one) for one in sorted(medians, key=lambda one: one["family_index"])]
    save("micro", {**origin, "acceptwatch": bench.version(), "repetitions": REPETITIONS, "rows": rows})


def build():
    for words in (["--preset", "bench"], ["--build", "--preset", "bench", "--target", "acceptwatch-micro"]):
        subprocess.run(["cmake", *words], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    return TOP / "build/bench/bench/acceptwatch-micro"


def row(one):
    return {"name": one["run_name"], "ns": round(one["cpu_time"], 1),
            "per_second": round(1e9 / one["cpu_time"]), "allocations": round(one["allocations"], 2)}
