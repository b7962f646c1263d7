"""A hook of the release, on_ready or on_reload, in a process of its own that the zygote forks.

So a hook that hangs or crashes harms neither the zygote nor a worker, and what it starts or opens is in no worker.
"""

import os
from os import read, set_blocking, write
from signal import ITIMER_REAL, SIG_DFL, SIGALRM, setitimer, signal

from viaduct_worker import load
from viaduct_worker.channel import die_on_input
from viaduct_worker.release import Release
from viaduct_worker.worker import flush_outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from viaduct_worker.messages import Options, RunHook

REPORT_BYTES_MAX = 60_000
"""Longest report of a failure. An empty pipe of Linux or macOS takes it at once."""


def main(options: 'Options', message: 'RunHook', release: 'Release | None', output: int, life: int) -> 'NoReturn':
    """Run the hook and end this process. Write the reason and the traceback of a failure to `output`.

    The kernel ends this process when the time of the hook is over, whatever the hook does, and on Linux also when the
    other end of `life` is closed. If `release` is None, this process imports the application.
    """
    die_on_input(life)
    signal(SIGALRM, SIG_DFL)
    setitimer(ITIMER_REAL, message['timeout_ms'] / 1000)
    code = 0
    try:
        (release or Release(options)).hooks.run(message['hook'])
    except BaseException as error:
        traceback, reason = load.report(error)
        set_blocking(output, False)
        write(output, f'{reason}\n{traceback}'.encode(errors='replace')[:REPORT_BYTES_MAX])
        code = 1
    flush_outputs()
    os._exit(code)


def report_of(output: int) -> str:
    """Return what a process that has ended wrote to the other end of this pipe."""
    set_blocking(output, False)  # a process that the hook has started may hold the other end
    try:
        return read(output, REPORT_BYTES_MAX).decode(errors='replace').rstrip()
    except BlockingIOError:
        return ''
