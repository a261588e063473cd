# SPDX-License-Identifier: Apache-2.0
# twelve at once, where there is room for them
import socket
clients = [socket.socket() for _ in range(12)]
for s in clients:
  s.setblocking(False); s.connect_ex(("10.9.0.1", 8080))
for s in clients:
  s.settimeout(2); assert s.recv(9) == b"hi"
