#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: forker.py LISTENERS FORKS: a user without privileges, whose processes all hold them all.

Says "ready" once they are there; with a line of input its children end, with another itself."""
import os
import resource
import signal
import socket
import sys


def main():
    listeners, forks = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_NOFILE, (listeners + 64, listeners + 64))
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    held = [socket.create_server(("127.0.0.1", 0), backlog=1) for _ in range(listeners)]
    children = []
    for _ in range(forks):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
    print("ready", flush=True)
    sys.stdin.readline()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.waitpid(pid, 0)
    print("alone", len(held), flush=True)
    sys.stdin.readline()


main()
