"""Receives datagrams at a Unix socket, as systemd's journal does: `python datagram_receiver.py PATH`.

It prints `BOUND`, and then a line of JSON for each message: `data` in base64, and whether it was a sealed file. With
`--waits`, it reads nothing before it has got a line on standard input.
"""

import base64
import fcntl
import json
import os
import socket
import sys

ALL_SEALS = 0x000F
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('BOUND', flush=True)
if '--waits' in sys.argv:
    sys.stdin.readline()
while True:
    data, descriptors, _flags, _address = socket.recv_fds(receiver, 1 << 20, 1)
    sealed = False
    for descriptor in descriptors:
        sealed = fcntl.fcntl(descriptor, 1034) == ALL_SEALS  # F_GET_SEALS
        data += os.pread(descriptor, 1 << 24, 0)
        os.close(descriptor)
    print(json.dumps({'sealed': sealed, 'data': base64.b64encode(data).decode()}), flush=True)
