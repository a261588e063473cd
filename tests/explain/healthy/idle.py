# SPDX-License-Identifier: Apache-2.0
# connections that stay open and idle after the answer
import socket, time
held = []
for i in range(20):
  s = socket.create_connection(("10.9.0.1", 8080), 2); s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
  assert s.recv(9) == b"hi"; held.append(s)
time.sleep(1)
