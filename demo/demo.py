#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: demo/demo.py ACCEPTWATCH   (root)

The incident that acceptwatch is for, and two near misses, in which it must not
find what is not there. tools/demo builds acceptwatch and calls this. Each runs in
a network namespace of its own: nothing of the host is touched, and the kernel's
counters are the demonstration's alone. A second acceptwatch, with JSON, is there
to compare what was shown with these counters; if they differ, this fails.
"""
import contextlib
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "servers"))

from common import (ADDRESS, Agent, Failed, Overflowed, command, enter_new_namespace,
                    holders, kernel_counters, kill, listener, require, running, start_agent,
                    stop_agent, wait_for, wait_for_port)

PORT = 9799
WORKERS = 10
CONNECTIONS = 28
APART = 0.1
BACKLOG = 10
LONG_BACKLOG = 4096
# Longer than the server keeps a client: who is let in then shall be seen.
CONNECT_TIMEOUT = 12
SERVER = HERE / "SlowServer.java"
# What may be said of a server that accepts late, whether something is lost or not.
LATE = ("queue_pressure", "accept_stalled", "finding/stuck_acceptor", "finding/slow_acceptor")
DROP = "SYN dropped: accept queue full"
DROPS_SHOWN = 3


class Client(threading.Thread):
    """Connects, sends a line, waits for the answer; and notes how long each took."""

    def __init__(self):
        super().__init__()
        self._socket = socket.socket()
        self._socket.bind((ADDRESS, 0))
        self._socket.settimeout(CONNECT_TIMEOUT)
        self.port = self._socket.getsockname()[1]
        self.connect = None
        self.answered = None

    def run(self):
        began = time.monotonic()
        try:
            self._socket.connect((ADDRESS, PORT))
        except OSError as why:
            self.connect = f"{why} after {time.monotonic() - began:.0f} s"
            return
        took = time.monotonic() - began
        self.connect = "connected at once" if took < 0.5 else f"connected after {took:.0f} s"
        with contextlib.suppress(OSError):
            self._socket.settimeout(None)
            self._socket.sendall(b"GET /\n")
            if self._socket.recv(4096):
                self.answered = f"answered after {time.monotonic() - began:.0f} s"

    def leave(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()

    def fared(self):
        return f"{self.connect}, {self.answered or 'no answer yet'}"


class Crowd:
    """Clients that come one after the other, and stay until the block ends."""

    def __init__(self):
        self.clients = []

    def __enter__(self):
        for _ in range(CONNECTIONS):
            self.clients.append(Client())
            self.clients[-1].start()
            time.sleep(APART)
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.leave()

    def wait_until_decided(self):
        wait_for("all clients to be connected or refused",
                 lambda: all(client.connect for client in self.clients))

    def wait_until_answered(self, number):
        wait_for(f"{number} answers",
                 lambda: sum(bool(client.answered) for client in self.clients) >= number)

    def fared(self):
        """A line for those that follow each other and fared alike."""
        lines = []
        first = 1
        for fared, alike in itertools.groupby(client.fared() for client in self.clients):
            last = first + len(list(alike)) - 1
            lines.append(f"connections {first:2} to {last:2}: {fared}")
            first = last + 1
        return "\n".join(lines)


class Shown:
    """acceptwatch as people use it, until it is stopped, or the block ends."""

    def __init__(self, binary, directory):
        self._binary = binary
        self._file = pathlib.Path(directory, "shown")

    def __enter__(self):
        with open(self._file, "wb") as out:
            self._process = start_agent(self._binary, out)
        return self

    def __exit__(self, *_):
        kill(self._process)

    def stop(self):
        """Returns what it printed: events, report."""
        stop_agent(self._process)
        events, _, report = self._file.read_text().partition("\n\n")
        return events, report


@contextlib.contextmanager
def stage(binary, mode, backlog):
    """A namespace with a server that is watched twice: to be shown, and to be compared."""
    enter_new_namespace()
    with tempfile.TemporaryDirectory() as directory, \
            running("java", SERVER, mode, PORT, backlog) as server:
        wait_for_port(PORT, server)
        with Shown(binary, directory) as shown, Agent(binary, directory) as agent:
            yield server, shown, agent


def heading(text):
    print(f"\n== {text}\n", flush=True)


def show(text):
    print("\n".join(line.rstrip() for line in text.splitlines()), flush=True)


def tool(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def netstat():
    lines = [line for line in tool("netstat", "-s").splitlines() if "listen" in line.lower()]
    return "\n".join(lines) or "(nothing: netstat leaves out what is 0)"


def shortened(events):
    """The table; of drops that follow each other, the first few."""
    header, *lines = events.splitlines()
    what = header.index("WHAT")
    # An event's line, and those below that belong to it.
    blocks = []
    for line in lines:
        if line.startswith(" "):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    shown = [header]
    for kind, alike in itertools.groupby(blocks, lambda block: block[0][what:]):
        alike = list(alike)
        kept = alike[:DROPS_SHOWN] if kind == DROP else alike
        shown += [line for block in kept for line in block]
        if len(kept) < len(alike):
            shown.append(f"...          {len(alike) - len(kept)} more: {kind}")
    return "\n".join(shown)


def incident(binary):
    heading("The incident")
    show(f"Java: new ServerSocket({PORT}, {BACKLOG}), and {WORKERS} threads. Each accepts,\n"
         f"reads, and keeps the connection for 10 s, as one does that waits for a slow\n"
         f"backend. A client opens {CONNECTIONS} connections, one every 100 ms.")
    with stage(binary, "workers", BACKLOG) as (server, shown, agent):
        before = netstat()
        with Crowd() as crowd:
            wait_for("an overflow", lambda: kernel_counters()["ListenOverflows"])
            sockets = tool("ss", "-lnt")
            there = listener(PORT)
            full = Overflowed(PORT, {client.port for client in crowd.clients},
                              {"depth": there.depth, "limit": there.limit},
                              len(holders(there.inode)))
            crowd.wait_until_decided()
            after = netstat()
            events, report = shown.stop()
            agent.stop()
            owner = {"pid": server.pid, "name": command(server.pid)}
            fared = crowd.fared()

    heading("What the client sees")
    show(fared)
    heading("What the usual tools say")
    show(f"$ ss -lnt          # while connections are lost\n{sockets}\n"
         f"$ netstat -s | grep -i listen          # before\n{before}\n\n"
         f"$ netstat -s | grep -i listen          # after\n{after}")
    heading("What acceptwatch says")
    show(f"$ sudo acceptwatch -q --netns /proc/self/ns/net\n{shortened(events)}\n\n{report}")

    drops = agent.require_drops(full, owner)
    agent.require_only("listen_drop/accept_queue_full", *LATE)
    require(agent.of("finding", "stuck_acceptor"), "stuck_acceptor was not found")
    require("stuck_acceptor on port" in report, "the report lacks stuck_acceptor")
    print()
    show(f"The kernel counted {drops} ListenOverflows and {drops} ListenDrops. acceptwatch\n"
         f"has a record of each, and of no other loss.")


def near_miss(binary, mode, backlog, answers, may_say):
    """Shows a server that loses nothing, until it has given so many answers."""
    with stage(binary, mode, backlog) as (_, shown, agent), Crowd() as crowd:
        crowd.wait_until_answered(answers)
        crowd.wait_until_decided()
        after = netstat()
        _, report = shown.stop()
        agent.stop()
        fared = crowd.fared()
    print()
    show(f"{fared}\n\n$ netstat -s | grep -i listen\n{after}\n\n"
         f"$ sudo acceptwatch -q --netns /proc/self/ns/net          # its report\n{report}")
    agent.require_only(*may_say)
    for counter in ("ListenOverflows", "ListenDrops"):
        agent.require_count(counter, [])


def long_backlog(binary):
    heading(f"Near miss: a backlog of {LONG_BACKLOG}")
    show(f"The same server with new ServerSocket({PORT}, {LONG_BACKLOG}), the same client.\n"
         f"Nothing is lost, and acceptwatch finds no loss and no short backlog. That nobody\n"
         f"accepts while connections wait is true all the same, and it says so: the longer\n"
         f"queue only hides it, for clients connect and then wait.")
    near_miss(binary, "workers", LONG_BACKLOG, WORKERS, LATE)


def thread_pool(binary):
    heading("Near miss: one thread that accepts, and a pool that works")
    show(f"new ServerSocket({PORT}, {BACKLOG}) again. One thread accepts and hands over to an\n"
         f"unbounded pool. The work is as slow, but accept() is never late.")
    near_miss(binary, "pool", BACKLOG, CONNECTIONS, ())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    # So that a demonstration which is told to end takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    binary = os.path.realpath(sys.argv[1])
    try:
        for part in (incident, long_backlog, thread_pool):
            part(binary)
    except (Failed, OSError, subprocess.SubprocessError) as why:
        sys.exit(f"the demonstration failed: {why}")


main()
