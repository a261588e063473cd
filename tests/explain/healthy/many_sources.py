# SPDX-License-Identifier: Apache-2.0
# clients from a hundred addresses
import socket, subprocess
subprocess.check_call(["ip", "route", "add", "local", "10.9.0.128/25", "dev", "lo"])
open("/proc/sys/net/ipv4/conf/c0/proxy_arp", "w").write("1")
for last in range(140, 240):
  s = socket.socket(); s.setsockopt(socket.SOL_IP, 15, 1) # IP_FREEBIND
  s.bind(("10.9.0.%d" % last, 0)); s.settimeout(2)
  s.connect(("10.9.0.1", 8080)); assert s.recv(9) == b"hi"
subprocess.check_call(["ip", "route", "del", "local", "10.9.0.128/25", "dev", "lo"])
