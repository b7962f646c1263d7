"""The texts of local variables, whose `__repr__` may take long or never end.

Another thread makes them, so that the request's thread can go on without an answer. That thread then gets an exception.
The thread of the request itself gets none, because it might come too late, and end something else. `sys.settrace` could
stop it between two lines, but a thread of CPython 3.11 hangs by that if any thread has got an exception before.
"""

import sys
from _contextvars import copy_context
from _queue import Empty, SimpleQueue
from _thread import start_new_thread

from viaduct_worker import interrupt
from viaduct_worker.clock import monotonic
from viaduct_worker.tracing.texts import NeedsQueryError, TookTooLongError, class_name, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Values: TypeAlias = SimpleQueue[tuple[object] | None]
    Texts: TypeAlias = SimpleQueue[str]

VALUE_SECONDS = 0.5
TOTAL_SECONDS = 2
PLAIN = (bool, bytes, float, int, str, type(None))


class Patience:
    """Lives for one exception. With greenlets, and where no exception can be raised in a thread, nothing is bounded."""

    def __init__(self) -> None:
        self.end = monotonic() + TOTAL_SECONDS
        self.is_bounded = interrupt.is_possible()
        self.thread = 0
        self.values: Values = SimpleQueue()
        self.texts: Texts = SimpleQueue()

    def repr(self, value: object) -> str:
        """`safe_repr` of a value, or what it is if that takes too long."""
        kind = type(value)
        if not self.is_bounded or any(kind is each for each in PLAIN):
            return safe_repr(value)
        seconds = min(VALUE_SECONDS, self.end - monotonic())
        if seconds <= 0:
            return f'<{class_name(value)} that was not looked at: other values took too long>'
        if not self.thread:
            self.values, self.texts = SimpleQueue(), SimpleQueue()
            # In the context of the request, which what the values refer to may need.
            self.thread = start_new_thread(copy_context().run, (make_texts, self.values, self.texts))
        self.values.put((value,))
        try:
            return self.texts.get(timeout=seconds)
        except Empty:
            interrupt.raise_in(self.thread, TookTooLongError)
            self.close()  # it may have finished just now, and wait for the next one
            self.thread = 0
            return f'<{class_name(value)} whose repr takes too long>'

    def close(self) -> None:
        """No more values come."""
        if self.thread:
            self.values.put(None)


def make_texts(values: 'Values', texts: 'Texts') -> None:
    try:
        refuse_queries()
        while (item := values.get()) is not None:
            texts.put(safe_repr(item[0]))
            del item
    except BaseException:
        return  # it took too long, and nobody waits for the text


def refuse_queries() -> None:
    """Let this thread open no connection of Django, which has its own ones for each thread.

    The texts of pages, of related objects and of contexts of templates would send queries otherwise.
    """
    database = sys.modules.get('django.db')
    try:
        for connection in () if database is None else database.connections.all():
            connection.connect = refuse
    except Exception:
        return  # the project uses Django without databases


def refuse() -> None:
    raise NeedsQueryError
