"""Threads of the operating system, also where the application has replaced threads by greenlets."""

import contextlib
import os
import threading
import traceback
from _thread import allocate_lock, start_new_thread

from viaduct_worker import patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NO_MORE = 'Raise the limit of processes (ulimit -u, TasksMax of systemd, the pids of a container), or lower threads'
"""What to do when no further thread or process can be started."""


def start_thread(name: str, target: 'Callable[[], None]', daemon: bool) -> 'Callable[[], object]':
    """Run `target` in a thread of the operating system. Return a function that waits for its end.

    A thread that a view starts is a daemon if the thread of the view is one, so that of a lane must not be.

    If the application has replaced threads by greenlets, `threading` no longer starts such a thread.
    """
    if not patches.found():
        thread = threading.Thread(target=guarded, args=(target,), name=name, daemon=daemon)
        thread.start()
        return thread.join
    running = allocate_lock()
    running.acquire()

    def run() -> None:
        guarded(target)
        running.release()

    start_new_thread(run, ())
    return running.acquire


def guarded(target: 'Callable[[], None]') -> None:
    """If a thread raises, end the process: the server then knows which requests this process was running."""
    try:
        target()
    except BaseException:
        print_error()
        os._exit(1)


def print_error() -> None:
    """Print the current exception. A full disk, or an output that the application replaced, must not raise another."""
    with contextlib.suppress(BaseException):
        traceback.print_exc()
