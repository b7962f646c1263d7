#!/usr/bin/env python3
"""The interpreter that the server is given: starts Python for all but the zygote, which the suite's process plays.

In the zygote's place a process stays that the server can watch. It ends when the suite says so;
when the suite's process is gone, it ends the server too.
"""

import os
import signal
import socket
import sys

script = sys.argv[1] if len(sys.argv) > 1 else ''
if os.path.basename(script) != 'viaduct_worker':
    real = os.environ['CONFORMANCE_PYTHON']
    os.execv(real, [real, *sys.argv[1:]])
if sys.argv[2] == '--wait':
    sys.exit(1)  # the server then finds the project and starts the zygote one after the other
suite = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
suite.connect(os.environ['CONFORMANCE_SOCKET'])
suite.sendall(sys.argv[2].encode() + b'\n')
if not suite.recv(1):
    os.kill(os.getppid(), signal.SIGTERM)
