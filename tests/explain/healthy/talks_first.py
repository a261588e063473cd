# SPDX-License-Identifier: Apache-2.0
# clients that talk to a server that does not listen to them
import socket
# The server closes with data unread, and so by a RST, after it has answered.
for i in range(10):
  s = socket.create_connection(("10.9.0.1", 8080), 2)
  s.sendall(b"GET / HTTP/1.0\r\n\r\n")
  try: assert s.recv(9) == b"hi"
  except ConnectionResetError: pass
