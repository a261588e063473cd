# SPDX-License-Identifier: Apache-2.0
# Fast Open with a server that has none
import socket
open("/proc/sys/net/ipv4/tcp_fastopen", "w").write("1")
for i in range(5):
  s = socket.socket()
  s.sendto(b"x", socket.MSG_FASTOPEN, ("10.9.0.1", 8080))
  s.settimeout(2); assert s.recv(9) == b"hi"
