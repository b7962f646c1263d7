"""Ends a request that has taken too long, by an exception in the thread that runs it.

CPython raises the exception when that thread next runs Python code. A thread that waits in C code (`time.sleep`, a
socket, a lock) gets it when the wait is over.
"""

import sys

from viaduct_worker import patches
from viaduct_worker.interface import RequestTimeout as RequestTimeout


def is_possible() -> bool:
    """Whether an exception can be raised in one thread only, and exactly while it runs one request.

    Greenlets share a thread. Without a global interpreter lock, the thread could go on between the test and the raise.
    """
    has_lock = getattr(sys, '_is_gil_enabled', lambda: True)()
    return has_lock and not patches.found()


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
