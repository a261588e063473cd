# SPDX-License-Identifier: Apache-2.0
# clients that ask for ECN, with small segments
import socket
open("/proc/sys/net/ipv4/tcp_ecn", "w").write("1")
for i in range(5):
  s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
  s.settimeout(2); s.connect(("10.9.0.1", 8080)); assert s.recv(9) == b"hi"
open("/proc/sys/net/ipv4/tcp_ecn", "w").write("2")
