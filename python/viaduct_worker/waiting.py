"""A zygote before it has options: it finds the project for the server, imports what it needs, and waits.

Python and the server thus start at the same time. A child finds the project, because that may import the project's
settings, and the application must be imported into a process that knows nothing of it.
"""

import json
import os
import sys
from os import fork, kill, read, waitpid, write
from select import poll
from signal import SIG_DFL, SIGCHLD, SIGINT, SIGKILL, signal

from viaduct_worker import early_patches
from viaduct_worker.disarm import disarm_signals, ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Options, Target

CONTROL = 3
"""The connection with the server. Each line is a JSON value."""

CHECK_MS = 2


def start_inspector(target: 'Target', writes_none: bool, errors: 'int | None') -> int:
    """Start the child that answers what `target` is. Return its process id."""
    take_signals(errors)
    disarm_signals()
    signal(SIGCHLD, SIG_DFL)  # a sitecustomize may ignore it, and then the kernel would collect the child
    early_patches.redo()
    inspector = fork()
    if inspector == 0:
        _answer(target, writes_none)
    early_patches.undo()
    return inspector


def take_signals(errors: 'int | None') -> None:
    """From now on Ctrl-C causes no traceback. So `errors`, a descriptor, becomes standard error."""
    signal(SIGINT, ignore)
    if errors is not None:
        os.dup2(errors, 2)
        os.close(errors)


def wait(inspector: int) -> 'Options':
    """Return the options that the server sends after the answer. Exit if it wants no zygote."""
    _await(inspector)
    line = b''
    try:
        write(CONTROL, b'\n')  # if there is no answer before it, the server asks again and gets to see the error
        while not line.endswith(b'\n'):
            block = read(CONTROL, 65536)
            if not block:
                os._exit(0)
            line += block
    except OSError:
        os._exit(0)
    os.close(CONTROL)
    message = json.loads(line)
    os.environ.update(message['environment'])
    options: Options = message['options']
    return options


def _await(inspector: int) -> None:
    """Wait for the end of the child. End it if the server does not: C code that keeps the GIL ends in no other way."""
    hangup = poll()
    hangup.register(CONTROL, 0)  # POLLHUP and POLLERR are always reported
    while waitpid(inspector, os.WNOHANG) == (0, 0):
        if hangup.poll(CHECK_MS):
            kill(inspector, SIGKILL)
            os._exit(0)


def _answer(target: 'Target', writes_none: bool) -> None:
    """Write the answer in this process, and end it."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(nowhere, output)
        from viaduct_worker import inspect_project

        sys.dont_write_bytecode = writes_none
        del sys.path[0]
        inspect_project.end_with_reader(CONTROL)
        inspect_project.answer(CONTROL, target)
    finally:
        os._exit(1)
