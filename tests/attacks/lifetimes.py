#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: lifetimes.py COUNT RATE: so many listeners are opened and closed, RATE a second.

Afterwards one on port 9798 loses SYNs."""
import socket
import sys
import time


def main():
    count, rate = int(sys.argv[1]), float(sys.argv[2])
    begun = time.monotonic()
    for i in range(count):
        socket.create_server(("127.0.0.1", 0)).close()
        time.sleep(max(0.0, begun + i / rate - time.monotonic()))
    with socket.create_server(("127.0.0.1", 9798), backlog=0) as server:
        clients = [socket.socket() for _ in range(3)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            time.sleep(0.1)


main()
