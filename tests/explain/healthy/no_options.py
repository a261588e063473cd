# SPDX-License-Identifier: Apache-2.0
# clients without timestamps, SACK and window scaling
import socket
for name in "timestamps", "sack", "window_scaling":
  open("/proc/sys/net/ipv4/tcp_" + name, "w").write("0")
for i in range(5):
  s = socket.create_connection(("10.9.0.1", 8080), 2); assert s.recv(9) == b"hi"
for name in "timestamps", "sack", "window_scaling":
  open("/proc/sys/net/ipv4/tcp_" + name, "w").write("1")
