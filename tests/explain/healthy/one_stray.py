# SPDX-License-Identifier: Apache-2.0
# one client that mistakes the port
import socket
s = socket.socket(); s.settimeout(2)
assert s.connect_ex(("10.9.0.1", 8088)) == 111
