# SPDX-License-Identifier: Apache-2.0
# a source port that is used again
import socket
for i in range(5):
  s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
  s.bind(("", 40001)); s.settimeout(2); s.connect(("10.9.0.1", 8080))
  assert s.recv(9) == b"hi" and s.recv(9) == b""
  s.close()
