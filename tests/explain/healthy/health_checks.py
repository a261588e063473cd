# SPDX-License-Identifier: Apache-2.0
# health checks that connect and close, or reset
import socket, struct
for i in range(20):
  s = socket.create_connection(("10.9.0.1", 8080), 2)
  if i % 2: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
  else: s.recv(9)
  s.close()
