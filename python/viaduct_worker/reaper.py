"""Adopts the orphans of the application where nobody else does: if the server is the first process of a container.

Node has no call to collect processes that the server did not start. So the process that the server started stays behind
as a reaper, and its child becomes the zygote. The kernel gives orphans below a reaper to the reaper
(PR_SET_CHILD_SUBREAPER in prctl(2)). The zygote and the workers collect only their own children, and the reaper has no
child that somebody else waits for.

The server never kills the reaper: everything below it would go to the server. It sends `END` instead.
"""

import contextlib
import os
from signal import SIG_BLOCK, SIG_DFL, SIG_UNBLOCK, SIGKILL, pthread_sigmask, signal

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
END = 64
"""The signal that asks the reaper to kill the zygote, the last one of the real-time signals. Nobody else sends it, and
before the reaper exists it ends the process. `zygote.ts` has the same number."""


def start() -> None:
    """Fork and return in the child. The parent collects orphans until it has no children left, and exits.

    If the kernel cannot do this, return in this process. The child dies with its parent, which the server may kill.
    """
    import ctypes  # only here, because it costs memory in every worker

    try:
        prctl = ctypes.CDLL(None).prctl
        if prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            return
    except (OSError, AttributeError):
        return
    parent = os.getpid()
    pthread_sigmask(SIG_BLOCK, {END})
    child = os.fork()
    if child:
        collect(child)
    pthread_sigmask(SIG_UNBLOCK, {END})
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def collect(child: int) -> None:
    """Collect every child until none is left, and exit as `child` did. The signal `END` kills `child`."""
    living = {child}

    def end(_number: int, _frame: object) -> None:
        for pid in living:
            with contextlib.suppress(ProcessLookupError):  # it was collected a moment ago
                os.kill(pid, SIGKILL)

    signal(END, end)
    pthread_sigmask(SIG_UNBLOCK, {END})
    code = 1
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        if pid == child:
            living.clear()
            code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != SIGKILL:
            signal(-code, SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
