# SPDX-License-Identifier: Apache-2.0
"""What the parts share: where things are, the programs here, the guests, the figures' files."""

import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
HERE = TOP / "bench"
DATA = TOP / "docs" / "performance"
TIERS = ("fentry", "kprobe", "tracepoint")


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def median(values):
    return statistics.median(values)


def kernel_names():
    rows = (TOP / "tests/vm/kernels.tsv").read_text().splitlines()
    return [row.split("\t")[0] for row in rows if row and not row.startswith("#")]


class Bench:
    """One run: the binary that is measured, the kernels asked for, a directory for what is built."""

    def __init__(self, acceptwatch, kernels, work):
        self.acceptwatch = os.path.abspath(acceptwatch)
        self.kernels = kernels.split(",") if kernels else kernel_names()
        self.work = pathlib.Path(work)

    def program(self, name, *libraries):
        """Compiles bench/NAME.cpp, static because it runs in guests, too."""
        path = self.work / name
        if not path.exists():
            subprocess.run(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-static",
                            "-o", path, HERE / f"{name}.cpp", *libraries], check=True)
        return str(path)

    def empty_object(self, name):
        """Compiles bpf/NAME.bpf.c with nothing in its programs: empty.bpf.h."""
        path = self.work / f"{name}.empty.o"
        if not path.exists():
            subprocess.run(["clang", "-g", "-O2", "-target", "bpf", "-mcpu=v2", "-D__TARGET_ARCH_x86",
                            "-std=gnu11", f"-I{TOP}/vmlinux/x86_64", f"-I{TOP}/include",
                            "-include", HERE / "empty.bpf.h", "-c", TOP / f"bpf/{name}.bpf.c",
                            "-o", path], check=True)
        return str(path)

    def floor(self):
        return self.program("floor", "-lbpf", "-lelf", "-lz")

    def loaded_programs(self):
        """The names of all BPF programs, as far as the kernel keeps them."""
        ran = subprocess.run([self.program("programs")], check=True, text=True, capture_output=True)
        return [line.split("\t")[0] for line in ran.stdout.splitlines()]

    def version(self):
        return subprocess.run([self.acceptwatch, "--version"], check=True, text=True,
                              capture_output=True).stdout.split()[1]

    def guest(self, kernel, command, files=(), options=()):
        """Runs a command in a guest with acceptwatch; its output."""
        words = [TOP / "tests/vm/run", kernel, "--timeout", "1800", *options,
                 "--file", f"{self.acceptwatch}:/bin/acceptwatch"]
        for file in files:
            words += ["--file", file]
        ran = subprocess.run([*words, "--", *command], text=True, stdout=subprocess.PIPE,
                             env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        if ran.returncode:
            sys.exit(f"tools/bench: kernel {kernel}: {command} failed\n{ran.stdout}")
        return ran.stdout


class Agent:
    """An acceptwatch that is armed, until the end of the block."""

    def __init__(self, bench, *options):
        self.words = [bench.acceptwatch, "-q", *options]
        self.process = None
        self.status = {}

    def __enter__(self):
        ready, write = os.pipe()
        self.process = subprocess.Popen([*self.words, "--ready-fd", str(write)],
                                        stdout=subprocess.DEVNULL, pass_fds=[write])
        os.close(write)
        armed = os.read(ready, 1)
        os.close(ready)
        if not armed:
            sys.exit(f"tools/bench: {' '.join(self.words)} did not start")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def peak_kib(self):
        return peak_kib(self.process.pid)


class Empty:
    """Empty programs of an object of bpf/, named as `programs` does, until the end of the block."""

    def __init__(self, bench, name, names):
        mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        cgroup = next(mount[1] for mount in mounts if mount[2] == "cgroup2")
        self.words = [bench.floor(), bench.empty_object(name), cgroup]
        self.names = "".join(f"{one}\n" for one in names)
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(self.names)
        self.process.stdin.close()
        if not self.process.stdout.readline():
            sys.exit(f"tools/bench: {' '.join(self.words)} did not start")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def peak_kib(pid):
    """Peak resident memory. Not wait4()'s ru_maxrss, in which the parent's counts until exec."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return None


def mount_tracefs():
    """bpftrace needs it. tools/bench has a mount namespace of its own, so it goes as it came."""
    if not pathlib.Path("/sys/kernel/tracing/events").exists():
        subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=True)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def where():
    """The machine, its kernel, what else it does, and the date: part of every file of figures.
    To be asked before measuring, which is a load as well."""
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {"machine": f"{processor()}, {os.cpu_count()} CPUs, {gib:.0f} GiB",
            "kernel": platform.release().split("-")[0],
            "load": round(os.getloadavg()[0], 1),
            "date": datetime.date.today().isoformat()}


def load(name):
    path = DATA / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def save(name, data):
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / f"{name}.json").write_text(text_of(data) + "\n")


def text_of(value, indent=""):
    """JSON with a line for each object of plain values, so that a change is a line in a diff."""
    deeper = indent + " "
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)) or not any(isinstance(i, (dict, list)) for i in items):
        return json.dumps(value)
    if isinstance(value, dict):
        inside = [f"{deeper}{json.dumps(k)}: {text_of(v, deeper)}" for k, v in value.items()]
        return "{\n" + ",\n".join(inside) + f"\n{indent}}}"
    inside = [deeper + text_of(v, deeper) for v in value]
    return "[\n" + ",\n".join(inside) + f"\n{indent}]"
