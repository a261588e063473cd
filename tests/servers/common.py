# SPDX-License-Identifier: Apache-2.0
"""What the tests with real servers share.

Each case runs in a network namespace of its own, so that the kernel's counters
there are the case's alone. What a record says is compared with what the kernel
says by another way: its counters, sock_diag (by ss), the descriptors in /proc.
"""
import collections
import contextlib
import ctypes
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
ADDRESS = "127.0.0.1"
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
PATIENCE = 30


class Failed(Exception):
    """What is not as it must be: a sentence for each."""


def require(holds, sentence):
    if not holds:
        raise Failed(sentence)


def wait_for(what, condition):
    """Returns what the condition gave, once that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        require(time.monotonic() < deadline, f"waited {PATIENCE} s in vain for {what}")
        time.sleep(0.01)
    return result


# The kernel's own word


def enter_new_namespace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        sys.exit(f"cannot make a network namespace: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def kernel_counters():
    counters = collections.Counter()
    for name in ("netstat", "snmp"):
        # Not /proc/self: that is the main thread's namespace, whoever asks.
        lines = pathlib.Path(f"/proc/thread-self/net/{name}").read_text().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            kind, *names = names.split()
            if kind in ("Tcp:", "TcpExt:"):
                counters.update(dict(zip(names, map(int, values.split()[1:]))))
    return counters


Listener = collections.namedtuple("Listener", "depth limit inode")


def listeners(port):
    """The listening sockets of a port, as sock_diag has them."""
    shown = subprocess.run(["ss", "-Htlne", f"sport = :{port}"], check=True, text=True,
                           capture_output=True).stdout
    return [Listener(int(line.split()[1]), int(line.split()[2]),
                     int(re.search(r"\bino:(\d+)", line)[1])) for line in shown.splitlines()]


def listener(port):
    there = listeners(port)
    require(len(there) == 1, f"port {port} has {len(there)} listeners instead of one")
    return there[0]


def holders(inode):
    """The processes that have a descriptor of the socket."""
    found = set()
    for descriptor in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(descriptor) == f"socket:[{inode}]":
                found.add(int(descriptor.parts[2]))
    return found


def command(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().rstrip("\n")


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return {int(child) for child in listed.split()}
    return set()


# Servers


@contextlib.contextmanager
def running(*arguments, **options):
    """A server in a process group of its own, which is killed at the end."""
    server = subprocess.Popen([str(argument) for argument in arguments], start_new_session=True,
                              **options)
    try:
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def wait_for_port(port, server):
    def opened():
        require(server.poll() is None, f"the server ended with {server.returncode}")
        return listeners(port)

    wait_for(f"a listener on port {port}", opened)


def freeze(pids):
    """Returns when all threads of the processes have stopped."""
    def stopped(pid):
        # The command, in parentheses, may hold anything.
        return all(stat.read_text().rpartition(")")[2].split()[0] == "T"
                   for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"))

    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        wait_for(f"process {pid} to stop", lambda pid=pid: stopped(pid))


def thaw(pids):
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


# Clients


def ask(port):
    """One connection, up to the end of its answer. Returns how it went."""
    answer = b""
    try:
        with socket.create_connection((ADDRESS, port), timeout=PATIENCE) as client:
            client.sendall(REQUEST)
            while piece := client.recv(4096):
                answer += piece
    except ConnectionRefusedError:
        return "refused"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    except TimeoutError:
        return "timed out"
    return "served" if answer else "closed unanswered"


class Load:
    """Clients that ask one after the other, until the block ends."""

    def __init__(self, port, clients=4):
        self.outcomes = collections.Counter()
        self._port = port
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        # The pause bounds the number of refused connections while nobody listens.
        while not self._ended.wait(0.003):
            outcome = ask(self._port)
            with self._lock:
                self.outcomes[outcome] += 1

    def wait_for(self, outcome, more):
        """Until so many more clients have fared so."""
        wanted = self.outcomes[outcome] + more
        try:
            wait_for(f"{more} clients that are {outcome}",
                     lambda: self.outcomes[outcome] >= wanted)
        except Failed as why:
            raise Failed(f"{why}; they were: {dict(self.outcomes)}") from None

    def require_only_served(self):
        require(set(self.outcomes) == {"served"},
                f"not all clients were served: {dict(self.outcomes)}")


Overflowed = collections.namedtuple("Overflowed", "port clients queue owners")


def overflow(port, connects):
    """Fills the queue of a server that does not accept, and keeps on connecting.

    Returns what the kernel says of the listener while it is full, and the clients'
    ports. By then all clients have gone: none sends a SYN again.
    """
    before = kernel_counters()["ListenOverflows"]
    there = listener(port)
    room = there.limit + 1 - there.depth
    require(room < connects, f"{connects} clients do not fill a queue with room for {room}")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(connects)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex((ADDRESS, port))
        wait_for(f"{connects - room} overflows",
                 lambda: kernel_counters()["ListenOverflows"] - before >= connects - room)
        full = listener(port)
        return Overflowed(port, {client.getsockname()[1] for client in clients},
                          {"depth": full.depth, "limit": full.limit}, len(holders(full.inode)))


# acceptwatch and its records

# How a full queue is announced, and what it is found to be: if it stays full for long, and if it
# is worked off at once.
FULL_QUEUE = ("queue_pressure", "accept_stalled", "finding/stuck_acceptor",
              "finding/burst_larger_than_backlog", "finding/backlog_too_small")


def start_agent(binary, out, *options):
    """acceptwatch in this network namespace, once every probe is live."""
    ready, ready_end = os.pipe()
    process = subprocess.Popen([binary, "-q", "--netns", "/proc/self/ns/net",
                                "--ready-fd", str(ready_end), *options],
                               stdout=out, pass_fds=[ready_end])
    os.close(ready_end)
    try:
        live = select.select([ready], [], [], PATIENCE)[0] and os.read(ready, 1)
        require(live == b"1", "acceptwatch did not become ready")
    except BaseException:
        kill(process)
        raise
    finally:
        os.close(ready)
    return process


def stop_agent(process):
    process.terminate()
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        kill(process)
        raise Failed("acceptwatch did not stop when asked to") from None
    require(status == 0, f"acceptwatch ended with {status}")


def kill(process):
    process.kill()
    process.wait()


class Agent:
    """acceptwatch, watching this network namespace until it is stopped, or the block ends."""

    def __init__(self, binary, directory, *options):
        self._binary = binary
        self._options = options
        self._file = pathlib.Path(directory, "records")
        self.events = []
        self.summary = {}

    def __enter__(self):
        self._before = kernel_counters()
        with open(self._file, "wb") as out:
            self._process = start_agent(self._binary, out, "-j", *self._options)
        return self

    def __exit__(self, kind, *_):
        if kind:
            kill(self._process)
        elif self._process.returncode is None:
            self.stop()

    def stop(self):
        """Ends it and reads its records. Its server may go afterwards, unseen."""
        self._counted = kernel_counters() - self._before
        stop_agent(self._process)
        lines = self._file.read_text().splitlines()
        first, *records, self.summary = map(json.loads, lines)
        require(first["event"]["action"] == "start", f"the first record is {first}")
        require(self.summary["event"]["action"] == "summary", f"the last is {self.summary}")
        require(all(kind_of(record) != "lost" for record in records), "records were lost")
        self.events = [record for record in records if record["event"]["kind"] != "metric"]
        self.audited = {}
        for record in records:  # the last of each network namespace
            if kind_of(record) == "audit" and "netns" in record["acceptwatch"]:
                netns = record["acceptwatch"]["netns"]
                self.audited[netns] = record["acceptwatch"]["audit"]["counters"]

    def wait_for(self, kind, times=1):
        """Until so many records of a kind are written: what it must look up, it has."""
        def written():
            whole = self._file.read_text().rpartition("\n")[0]
            return [kind_of(json.loads(line)) for line in whole.splitlines()].count(kind) >= times

        wait_for(f"{times} records of {kind}", written)

    def counted(self, name):
        """By the kernel, from before the start to just before the end."""
        return self._counted[name]

    def of(self, action, reason=None):
        """How a listener ended is not asked for where there is no reason."""
        return [e for e in self.events if e["event"]["action"] == action and
                (reason is None and action == "listener_closed" or
                 e["event"].get("reason") == reason)]

    def require_only(self, *kinds):
        """kinds: as in listener_opened or reset_sent/no_listener."""
        others = collections.Counter(kind_of(e) for e in self.events)
        for kind in kinds:
            del others[kind]
        require(not others, f"records that should not be: {dict(others)}")

    def require_count(self, counter, records):
        """The records stand for as many as the kernel counted, and its audit agrees."""
        stand_for = sum(record["acceptwatch"]["count"] for record in records)
        counted = self.counted(counter)
        require(stand_for == counted,
                f"the records stand for {stand_for}, the kernel counted {counted} {counter}")
        of_all = [counters[counter] for counters in self.audited.values() if counter in counters]
        audited = {side: sum(one[side] for one in of_all) for side in ("kernel", "explained")}
        require(audited == {"kernel": counted, "explained": counted},
                f"the kernel counted {counted} {counter}, the audit says {audited}")

    def require_drops(self, overflowed, process):
        """Drops for a full accept queue, all and only these. Returns their number."""
        drops = self.of("listen_drop", "accept_queue_full")
        require(drops, "no drop was recorded")
        self.require_count("ListenOverflows", drops)
        self.require_count("ListenDrops", drops)
        for record in drops:
            require_fields(record, server={"address": ADDRESS, "port": overflowed.port},
                           client__address=ADDRESS, process=process, acceptwatch__stage="syn",
                           acceptwatch__owners=overflowed.owners,
                           acceptwatch__accept_queue__depth=overflowed.queue["depth"],
                           acceptwatch__accept_queue__limit=overflowed.queue["limit"])
            require(record["client"]["port"] in overflowed.clients,
                    f"no client was {record['client']}")
        return self.counted("ListenOverflows")


def kind_of(record):
    event = record["event"]
    reason = None if event["action"] == "listener_closed" else event.get("reason")
    return "/".join(filter(None, (event["action"], reason)))


def require_fields(record, **wanted):
    """wanted: as in server__port=80. None: the record must not have it. Of an object the
    keys that are wanted."""
    for path, value in wanted.items():
        said = record
        for key in path.split("__"):
            said = said.get(key) if isinstance(said, dict) else None
        if isinstance(value, dict) and isinstance(said, dict):
            said = {key: said[key] for key in value if key in said}
        require(said == value, f"{path.replace('__', '.')} is {said} instead of {value} in "
                               f"{json.dumps(record)}")


def run(name, *cases):
    """Runs cases, functions of the binary and a directory that return what they saw."""
    if len(sys.argv) != 2:
        sys.exit(sys.modules["__main__"].__doc__.splitlines()[0])
    # So that a test which is told to end takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    binary = os.path.realpath(sys.argv[1])
    failures = 0
    for case in cases:
        enter_new_namespace()
        try:
            with tempfile.TemporaryDirectory() as directory:
                print(f"ok   {name}: {case(binary, directory)}", flush=True)
        except (Failed, OSError, subprocess.SubprocessError) as why:
            failures += 1
            print(f"FAIL {name}: {case.__name__.replace('_', ' ')}: {why}", flush=True)
    print(f"{len(cases) - failures} passed, {failures} failed")
    sys.exit(failures != 0)
