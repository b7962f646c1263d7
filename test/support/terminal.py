"""Plays a terminal: runs a command on a pseudo-terminal, in a session of its own.

`python terminal.py COMMAND…` copies what the terminal shows to standard output, and what it reads to the terminal, so
that a byte 3 is a Ctrl-C. It ends with the exit code of the command, or 128 and the signal that ended it.
"""

import os
import pty
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [0, terminal]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            block = os.read(source, 65536)
        except OSError:  # the command has closed the terminal
            block = b""
        if not block:
            sources.remove(source)
        else:
            os.write(terminal if source == 0 else 1, block)
status = os.waitpid(pid, 0)[1]
sys.exit(
    128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
)
