# SPDX-License-Identifier: Apache-2.0
# datagrams to the same port, which nobody takes
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.9.0.1", 8080))
refused = 0
for i in range(50):
  try: s.send(b"x")
  except ConnectionRefusedError: refused += 1 # by an ICMP message
assert refused
