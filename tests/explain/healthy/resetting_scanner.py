# SPDX-License-Identifier: Apache-2.0
# a scanner that resets what answers
import socket, struct
# Its kernel knows of no such connection, and resets the SYN-ACK.
def checksum(data):
  total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
  total = (total >> 16) + (total & 0xffff)
  return 0xffff - (total + (total >> 16) & 0xffff)
ends = socket.inet_aton("10.9.0.2") + socket.inet_aton("10.9.0.1")
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for port in (8080, 8081, 8082):
  tcp = struct.pack("!HHIIBBHHH", 5556, port, 1000, 0, 5 << 4, 2, 8192, 0, 0)
  tcp = tcp[:16] + struct.pack("!H", checksum(ends + struct.pack("!HH", 6, 20) + tcp)) + tcp[18:]
  raw.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + ends + tcp, ("10.9.0.1", 0))
