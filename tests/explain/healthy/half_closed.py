# SPDX-License-Identifier: Apache-2.0
# clients that have said all before they read
import socket
for i in range(10):
  s = socket.create_connection(("10.9.0.1", 8080), 2)
  s.shutdown(socket.SHUT_WR); assert s.recv(9) == b"hi"
