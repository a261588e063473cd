# SPDX-License-Identifier: Apache-2.0
# Multipath TCP with a server that has none
import socket
for i in range(5):
  try: s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
  except OSError: break # this kernel has none
  s.settimeout(2); s.connect(("10.9.0.1", 8080)); assert s.recv(9) == b"hi"
