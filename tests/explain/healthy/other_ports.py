# SPDX-License-Identifier: Apache-2.0
# a scan of ports where nobody listens
import socket
for port in range(7000, 7100):
  s = socket.socket(); s.settimeout(2)
  assert s.connect_ex(("10.9.0.1", port)) == 111
