# SPDX-License-Identifier: Apache-2.0
# no room for TIME_WAIT
import socket, time
for i in range(5):
  s = socket.create_connection(("10.9.0.1", 8080), 2)
  assert s.recv(9) == b"hi" and s.recv(9) == b""
  time.sleep(0.1); s.close()
