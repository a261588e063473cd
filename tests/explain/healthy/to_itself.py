# SPDX-License-Identifier: Apache-2.0
# a connection to itself
import socket
s = socket.socket(); s.bind(("127.0.0.1", 40080)); s.connect(("127.0.0.1", 40080))
s.send(b"me"); assert s.recv(2) == b"me"
