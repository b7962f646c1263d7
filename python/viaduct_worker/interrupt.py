"""Ends a request that has taken too long, by an exception in the thread that runs it.

CPython raises the exception when that thread next runs Python code. A thread that waits in C code (`time.sleep`, a
socket, a lock) gets it when the wait is over.
"""

import sys
from time import sleep

from viaduct_worker import patches
from viaduct_worker.clock import monotonic
from viaduct_worker.interface import RequestTimeout as RequestTimeout

IMPORT_SYSTEM = '<frozen importlib._bootstrap>'
"""What CPython calls the file of its import system."""
IMPORT_SECONDS = 0.1
"""How long an exception waits for a step of the import system."""


def is_possible() -> bool:
    """Whether an exception can be raised in one thread only, and exactly while it runs one request.

    Greenlets share a thread. Without a global interpreter lock, the thread could go on between the test and the raise.
    """
    has_lock = getattr(sys, '_is_gil_enabled', lambda: True)()
    return has_lock and not patches.found()


def wait_for_import(thread: int) -> None:
    """Wait until `thread` is not in code of Python's import system, but not for ever: it may wait for another import.

    An exception between two steps there would leave a lock locked that all imports of this process need.
    """
    until = monotonic() + IMPORT_SECONDS
    while monotonic() < until:
        frame = sys._current_frames().get(thread)
        if frame is None or frame.f_code.co_filename != IMPORT_SYSTEM:
            return
        sleep(0.001)


def raise_in(thread: int, exception: 'type[BaseException]' = RequestTimeout) -> bool:
    """Raise an exception in `thread`. Return False where Python has no ctypes."""
    return _set(thread, exception)


def clear(thread: int) -> None:
    """Take back what `raise_in` has set, if the thread has not got it yet."""
    _set(thread, None)


def _set(thread: int, exception: 'type[BaseException] | None') -> bool:
    try:
        # Only here: most workers never need it, and some Pythons are built without it.
        from ctypes import c_ulong, py_object, pythonapi
    except ImportError:
        return False
    value = None if exception is None else py_object(exception)
    return bool(pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread), value) == 1)
